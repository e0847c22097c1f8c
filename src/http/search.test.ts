import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { searchAnswer, type SearchAnswer } from '#contract/search'
import { NAUGHTY_STRINGS } from '../../test/support/storage-samples.ts'
import { addServer, openTestApi, type TestApi } from '../../test/support/test-api.ts'

const SEARCH = '/api/v1/tools/search'

/** Tools whose words a question need not know. */
const TOOLS = {
  weather: 'Current temperature, wind and rain of a city',
  'send mail': 'Sends an e-mail message to somebody',
  'delete file': 'Removes a document from the disk',
  'convert money': 'Exchanges an amount of one currency for another',
  translate: 'Puts a text into another language',
}

async function openSearch(): Promise<TestApi> {
  const t = await openTestApi()
  for (const [name, description] of Object.entries(TOOLS)) {
    const annotations = { readOnlyHint: name === 'weather' }
    await t.send('POST', '/api/v1/tools', {
      name,
      description,
      endpoint: 'http://127.0.0.1:9/',
      tags: ['t'],
      annotations,
    })
  }
  return t
}

/** It is as the contract says, to the last member. */
async function search(t: TestApi, query: object): Promise<SearchAnswer> {
  const { body } = await t.send('POST', SEARCH, query)
  expect(searchAnswer.parse(body)).toEqual(body)
  return body as SearchAnswer
}
const names = ({ results }: SearchAnswer) => results.map(({ name }) => name)

test('R038 R070 a question without a word of the tool finds it, by POST and by GET', async () => {
  await using t = await openSearch()
  const query = 'how many euros are a hundred dollars'
  expect(names(await search(t, { query }))[0]).toBe('convert money')
  const byUrl = (await t.send('GET', `${SEARCH}?q=${encodeURIComponent(query)}&max_results=2`)).body as SearchAnswer
  expect(names(byUrl)).toEqual(names(await search(t, { query, max_results: 2 })))
  expect(byUrl.results).toHaveLength(2)
  expect(byUrl.tools.map(({ name }) => name)).toEqual(names(byUrl))
})

test('R038, R072 scores fall, and a hybrid score is what its parts and the weights of the answer say', async () => {
  await using t = await openSearch()
  const { results, weights, parts } = await search(t, { query: 'write an e-mail in another language' })
  expect({ weights, parts }).toEqual({ weights: { keyword: 0.35, semantic: 0.65 }, parts: ['keyword', 'static'] })
  const scores = results.map(({ score }) => score)
  expect(scores).toEqual(scores.toSorted((a, b) => b - a))
  for (const { score, keyword_score: keyword, semantic_score: semantic } of results)
    expect(score).toBeCloseTo(weights.keyword * keyword + weights.semantic * semantic, 9)
})

test('R038 each type answers with its own part', async () => {
  await using t = await openSearch()
  const keyword = await search(t, { query: 'rain', search_type: 'keyword' })
  const [{ score } = { score: 0 }] = keyword.results
  expect(keyword.results).toMatchObject([{ name: 'weather', score, keyword_score: score, semantic_score: 0 }])
  expect(score).toBeGreaterThan(0)
  const semantic = await search(t, { query: 'umbrella', search_type: 'semantic' })
  expect(semantic.results[0]).toMatchObject({ name: 'weather', keyword_score: 0, semantic_score: 1 })
  expect((await search(t, { query: 'umbrella', search_type: 'keyword' })).results).toEqual([])
})

test('R038 a found tool is shown as the list of tools shows it, to the last member', async () => {
  await using t = await openSearch()
  const { registry } = t.deps
  const { id } = await addServer(t, 'wind', [])
  const text = String.raw`{"name":"wind","description":"Rain and \"wind\" of a city","inputSchema":{"enum":["\u0061", 1.0]},
    "outputSchema":{},"annotations":{"readOnlyHint":true}}`
  const odd = '{"name":"odd","description":7,"inputSchema":{},"annotations":[]}'
  await registry.publishSnapshot({
    ...registry.catalog.snapshot(id)!,
    tools: [
      { key: 'wind', text },
      { key: 'odd', text: odd },
    ],
  })
  const { tools: listed } = (await t.send('GET', '/api/v1/tools')).body as SearchAnswer
  const { tools } = await search(t, { query: 'wind and rain of a city, and what is odd' })
  expect(tools.length).toBeGreaterThan(3)
  for (const tool of tools) expect(tool).toEqual(listed.find(({ id }) => id === tool.id))
  expect(tools.map(({ read_only }) => read_only)).toContain(true)
})

test('R038 filters and limits hold, and an exact name goes first', async () => {
  await using t = await openSearch()
  expect(names(await search(t, { query: 'message about a city', read_only: true }))).toEqual(['weather'])
  expect((await search(t, { query: 'message', tag: 'none' })).total).toBe(0)
  expect((await search(t, { query: 'message', server: 'other' })).total).toBe(0)
  expect((await search(t, { query: 'Translate' })).results[0]).toMatchObject({ name: 'translate', score: 1 })
  const strict = await search(t, { query: 'send an e-mail', similarity_threshold: 1 })
  expect(names(strict)).toEqual(['send mail'])
})

test('R111 the index follows what is added, changed and removed', async () => {
  await using t = await openSearch()
  expect(names(await search(t, { query: 'play a song', search_type: 'keyword' }))).toEqual([])
  await t.send('POST', '/api/v1/tools', {
    name: 'jukebox',
    description: 'Plays songs',
    endpoint: 'http://127.0.0.1:9/',
  })
  expect(names(await search(t, { query: 'play a song', search_type: 'keyword' }))).toEqual(['jukebox'])
  await t.send('PUT', '/api/v1/tools/jukebox', { description: 'Opens doors' })
  expect(names(await search(t, { query: 'play a song', search_type: 'keyword' }))).toEqual([])
  await t.send('DELETE', '/api/v1/tools/jukebox')
  expect(names(await search(t, { query: 'doors', search_type: 'keyword' }))).toEqual([])
})

test('R038 what is no query is refused, and no text breaks the search', async () => {
  await using t = await openSearch()
  for (const body of [
    {},
    { query: '' },
    { query: ' \n' },
    { query: 'x'.repeat(100_000) },
    { query: 'x', max_results: 0 },
  ])
    expect((await t.send('POST', SEARCH, body)).status).toBe(422)
  expect((await t.send('GET', SEARCH)).status).toBe(422)
  for (const query of [...NAUGHTY_STRINGS, "'; drop table tools; --", '(a+)+$', '%_', '\\', '你好', 'مرحبا'])
    expect([200, 422]).toContain((await t.send('POST', SEARCH, { query })).status)
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }), async (query) => {
      expect([200, 422]).toContain((await t.send('POST', SEARCH, { query })).status)
    }),
    { numRuns: 100 },
  )
})

test('R038 a tool that has the search’s own name is refused', async () => {
  await using t = await openTestApi()
  const tool = { name: 'search', description: 'x', endpoint: 'http://127.0.0.1:9/' }
  expect((await t.send('POST', '/api/v1/tools', tool)).status).toBe(422)
})

test('R038 a question that nothing fits is told so, with the servers that come nearest', async () => {
  await using t = await openSearch()
  const many = Array.from({ length: 20 }, (_, index) => `list_part_${index}`)
  await addServer(t, 'warehouse', many)
  for (const query of ['qwxz vbnmp lkjhh', 'ʭʭʭ ʬʬʬ']) {
    const answer = await search(t, { query })
    expect(answer).toMatchObject({ results: [], tools: [], total: 0 })
  }
  expect((await search(t, { query: 'qwxz vbnmp lkjhh' })).nearest_servers).not.toEqual([])
  expect((await search(t, { query: 'parts of the warehouse' })).nearest_servers).toEqual([])
})
