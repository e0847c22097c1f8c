import { expect, test } from 'vitest'
import type { SearchAnswer } from '#contract/search'
import { newDirectory, startTestApp, type TestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const TOOLS = {
  weather: 'Current temperature, wind and rain of a city',
  mail: 'Sends an e-mail message to somebody',
  shred: 'Removes a document from the disk',
  exchange: 'Changes an amount of one currency into another',
}

const file = {
  tools: Object.fromEntries(
    Object.entries(TOOLS).map(([name, description]) => [name, { endpoint: 'http://127.0.0.1:9/', description }]),
  ),
}

async function search({ api }: TestApp, query: string): Promise<SearchAnswer> {
  return (await api.send<SearchAnswer>('POST', 'tools/search', { query })).body
}

/** Searches for something else each time, so that no answer comes from the cache. */
async function untilModel(app: TestApp): Promise<SearchAnswer> {
  let tries = 0
  let answer = await search(app, 'will I need an umbrella')
  await until('the model has its say', async () => {
    tries += 1
    answer = await search(app, `will I need an umbrella ${tries}`)
    return answer.parts.includes('neural')
  })
  return answer
}

test('R070, R072 words and the table answer at once; the model joins when it is there, also after a restart, and is in the health', async () => {
  await using directory = await newDirectory()
  {
    await using app = await startTestApp({ file, directory: directory.path })
    const first = await search(app, 'will I need an umbrella')
    expect(first).toMatchObject({ parts: ['keyword', 'static'], weights: { keyword: 0.35, semantic: 0.65 } })
    const full = await untilModel(app)
    expect(full).toMatchObject({
      parts: ['keyword', 'static', 'neural'],
      weights: { keyword: 0.3, semantic: 0.7 },
      vectors: { model: 'all-MiniLM-L6-v2/fp16', known: 4, wanted: 4, failure: null },
    })
    expect(full.results[0]?.name).toBe('weather')
    for (const { score, keyword_score: keyword, semantic_score: semantic } of full.results)
      expect(score).toBeCloseTo(0.3 * keyword + 0.7 * semantic, 9)
    const { body } = await app.api.send<{ components: readonly { name: string }[] }>('GET', 'health/detailed')
    expect(body.components.find(({ name }) => name === 'search')).toMatchObject({
      healthy: true,
      message: 'all-MiniLM-L6-v2/fp16 knows 4 of 4 tools',
    })
  }
  await using again = await startTestApp({ file, directory: directory.path })
  expect((await untilModel(again)).results[0]?.name).toBe('weather')
})
