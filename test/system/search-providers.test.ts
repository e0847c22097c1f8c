import { expect, test } from 'vitest'
import type { HealthComponent } from '#contract/health'
import type { SearchAnswer } from '#contract/search'
import { json, startEmbeddings, startReranker, type SearchProvider } from '../support/search-provider.ts'
import { startTestApp, type TestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const KEY = 'sk-never-to-be-seen-0123456789'

const tool = (description: string) => ({ endpoint: 'http://127.0.0.1:9/', description })
const TOOLS = {
  lamp: tool('Switches the light'),
  door: tool('Opens the entrance'),
  mail: tool('Sends a letter to somebody'),
}

interface Providers {
  readonly embeddings?: SearchProvider
  readonly reranker?: SearchProvider
  readonly embedder?: 'minilm' | 'static'
}

function startGateway({ embeddings, reranker, embedder = 'static' }: Providers): Promise<TestApp> {
  const env: Record<string, string> = { META_MCP_SEARCH_EMBEDDER: embedder }
  if (embeddings) {
    env['META_MCP_SEARCH_EMBEDDINGS_URL'] = embeddings.url
    env['META_MCP_SEARCH_EMBEDDINGS_MODEL'] = 'bge-m3'
    env['META_MCP_SEARCH_EMBEDDINGS_KEY'] = KEY
  }
  if (reranker) {
    env['META_MCP_SEARCH_RERANK_URL'] = reranker.url
    env['META_MCP_SEARCH_RERANK_KEY'] = KEY
  }
  return startTestApp({ env, file: { tools: TOOLS } })
}

async function find({ api }: TestApp, query: string, type = 'hybrid'): Promise<SearchAnswer> {
  const { status, body } = await api.send<SearchAnswer>('POST', 'tools/search', { query, search_type: type })
  expect(status).toBe(200)
  return body
}

/** The answer to the first query that has, or lacks, this part. */
async function findWith(gateway: TestApp, part: SearchAnswer['parts'][number], has = true): Promise<SearchAnswer> {
  let answer = await find(gateway, 'letter to a friend')
  await until(`${part}: ${has}`, async () => {
    answer = await find(gateway, 'letter to a friend')
    return answer.parts.includes(part) === has
  })
  return answer
}

async function searchHealth({ api }: TestApp): Promise<HealthComponent | undefined> {
  const { body } = await api.send<{ components: HealthComponent[] }>('GET', 'health/detailed')
  return body.components.find(({ kind }) => kind === 'search')
}

const echo: SearchProvider['broken'] = (response, { headers }) =>
  json(response, { message: `no: ${headers.authorization}` }, 500)

test('the provider of embeddings has its say, goes and comes; the answer and health say so and never show the key (R070)', async () => {
  await using embeddings = await startEmbeddings()
  await using gateway = await startGateway({ embeddings })
  const model = `remote:bge-m3@${new URL(embeddings.url).host}`
  const first = await findWith(gateway, 'remote')
  expect(first).toMatchObject({
    parts: ['keyword', 'static', 'remote'],
    weights: { keyword: 0.3, semantic: 0.7 },
    vectors: { model, known: 3, wanted: 3, failure: null },
    results: [{ name: 'mail', rerank_score: null }, {}],
  })
  expect((await find(gateway, 'letter to a friend')).cached).toBe(true)
  expect((await find(gateway, 'letter', 'keyword')).parts).toEqual(['keyword'])

  embeddings.broken = echo
  expect(await find(gateway, 'another letter')).toMatchObject({ parts: ['keyword', 'static'], cached: false })
  await until('health knows', async () => (await searchHealth(gateway))?.message.includes('status 500') === true)
  expect(await searchHealth(gateway)).toMatchObject({ healthy: false, status: 'degraded' })
  const without = await find(gateway, 'another letter')
  expect(without).toMatchObject({ parts: ['keyword', 'static'], cached: false, results: [{ name: 'mail' }, {}] })
  const failure = 'The embeddings provider answered with status 500: {"message":"no: Bearer ***"}'
  expect(without.vectors).toEqual({ model, known: 3, wanted: 3, failure })

  embeddings.broken = undefined
  expect((await findWith(gateway, 'remote')).vectors?.failure).toBeNull()
  expect(await searchHealth(gateway)).toMatchObject({ healthy: true, message: `${model} knows 3 of 3 tools` })
  expect(gateway.log.join('\n')).toContain('status 500')
  expect(`${gateway.log.join('\n')}${JSON.stringify(without)}`).not.toContain(KEY)
})

test('the embedded model answers for a provider that is down, and is marked (R070)', async () => {
  await using embeddings = await startEmbeddings()
  embeddings.broken = echo
  await using gateway = await startGateway({ embeddings, embedder: 'minilm' })
  const answer = await findWith(gateway, 'neural')
  expect(answer).toMatchObject({ parts: ['keyword', 'static', 'neural'], cached: false })
  expect(answer.results[0]?.name).toBe('mail')
  expect(answer.vectors?.failure).toContain('status 500')
  expect((await searchHealth(gateway))?.message).toMatch(
    /^remote:.* knows 0 of 3 tools and does not get on: .*; instead of it all-MiniLM-L6-v2\/fp16 knows 3 of 3 tools$/,
  )
  embeddings.broken = undefined
  await findWith(gateway, 'remote')
})

test('the reranker has the last word, but not on keyword searches and exact names; without it the order stays (R072)', async () => {
  await using reranker = await startReranker('texts', (text) => (text.includes('light') ? 4 : -4))
  await using gateway = await startGateway({ reranker })
  const answer = await find(gateway, 'letter to a friend')
  expect(answer).toMatchObject({
    parts: ['keyword', 'static', 'rerank'],
    weights: { keyword: 0.35, semantic: 0.65 },
    total: 2,
  })
  expect(answer.results.map(({ name, score, rerank_score: rerank }) => [name, score === rerank])).toEqual([
    ['lamp', true],
    ['mail', true],
  ])
  expect(answer.results[0]?.score).toBeCloseTo(0.982, 3)
  expect((await find(gateway, 'letter to a friend')).cached).toBe(true)
  const asked = JSON.parse(reranker.seen.at(-1)!.body) as { query: string; texts: string[] }
  expect(asked.query).toBe('letter to a friend')
  expect(asked.texts[0]).toContain('Sends a letter to somebody')
  expect(await find(gateway, 'letter', 'keyword')).toMatchObject({ parts: ['keyword'], results: [{ name: 'mail' }] })
  expect((await find(gateway, 'mail')).results[0]).toMatchObject({ name: 'mail', score: 1 })

  reranker.broken = echo
  const plain = await find(gateway, 'a letter for her')
  expect(plain).toMatchObject({ parts: ['keyword', 'static'], results: [{ name: 'mail', rerank_score: null }, {}] })
  for (const { score, keyword_score: keyword, semantic_score: semantic } of plain.results)
    expect(score).toBeCloseTo(0.35 * keyword + 0.65 * semantic, 9)
  expect(await searchHealth(gateway)).toMatchObject({
    healthy: false,
    message: expect.stringMatching(/not reranked: The reranker answered with status 500$/),
  })
  reranker.broken = undefined
  const back = await find(gateway, 'a letter for her')
  expect(back).toMatchObject({ parts: ['keyword', 'static', 'rerank'], cached: false })
  expect(await searchHealth(gateway)).toMatchObject({ healthy: true })
  expect(gateway.log.join('\n')).toContain('searches are not reranked')
  expect(gateway.log.join('\n')).not.toContain(KEY)
})
