import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import type { CatalogTool } from '#registry/catalog-view'
import type { LogFields } from '#kernel/logger'
import { DEAD_URL } from '../../test/support/recording-backend.ts'
import { json, RERANK, startReranker } from '../../test/support/search-provider.ts'
import { createReranker, type Reranker } from './reranker.ts'
import { reranked } from './reranking.ts'
import type { Ranking } from './search-index.ts'

const KEY = 'sk-very-secret-0123456789'
const judge = (text: string): number => Number(/\d+/.exec(text)?.[0] ?? 0) / 100

function rerankerOf(url: string, model?: string) {
  const lines: LogFields[] = []
  const note = (fields: LogFields): void => void lines.push(fields)
  const log = { debug: note, info: note, warn: note, error: note }
  let time = 0
  const settings = { url, key: { reveal: () => KEY }, ...(model === undefined ? {} : { model }) }
  const reranker = createReranker({ settings, log, now: () => time })
  return { reranker, lines, pass: (ms: number) => void (time += ms) }
}

test.each([
  ['documents', 'rerank-v3.5'],
  ['texts', undefined],
] as const)(
  'a provider that takes only %s judges each text, and is asked right from then on',
  async (dialect, model) => {
    await using provider = await startReranker(dialect, judge)
    const { reranker } = rerankerOf(provider.url, model)
    expect(await reranker.judge('q', ['5', '90', '7'])).toEqual([0.05, 0.9, 0.07])
    const first = provider.seen.length
    expect(await reranker.judge('q', ['1', '2'])).toEqual([0.01, 0.02])
    expect(provider.seen.length - first).toBe(1)
    const { path, headers, body } = provider.seen.at(-1)!
    expect({ path, authorization: headers.authorization }).toEqual({ path: RERANK, authorization: `Bearer ${KEY}` })
    expect(JSON.parse(body)).toEqual(
      dialect === 'texts'
        ? { query: 'q', texts: ['1', '2'], truncate: true }
        : { model, query: 'q', documents: ['1', '2'] },
    )
  },
)

const at = (...places: number[]) => places.map((index) => ({ index, score: 1 }))

test.each<[string, (response: ServerResponse) => void, string]>([
  ['a judgement too few', (r) => json(r, { results: [{ index: 0, relevance_score: 1 }] }), 'judged 1 of 2 texts'],
  ['no list', (r) => json(r, {}), 'answered without a list of results'],
  ['a place twice', (r) => json(r, at(1, 1)), 'judged a text that is none of ours'],
  ['a place beyond', (r) => json(r, at(0, 2)), 'judged a text that is none of ours'],
  ['no place', (r) => json(r, [{ score: 1 }, { score: 1 }]), 'does not say which text it judged'],
  [
    'no number',
    (r) => json(r, { data: [0, 1].map((index) => ({ index, relevance_score: null })) }),
    'gave a judgement that is no number',
  ],
  ['garbage', (r) => void r.end('<html>'), 'did not answer with JSON'],
  ['a huge body', (r) => void r.end(' '.repeat(1024 * 1024 + 1)), 'answered with more than 1 MB'],
  [
    'a redirect',
    (r) => void r.writeHead(302, { location: '/' }).end(),
    'sends on to another address (status 302): set that one',
  ],
  ['401', (r) => json(r, { message: `no such key: ${KEY}` }, 401), 'refuses the key (status 401)'],
  ['400 that repeats the query', (r) => json(r, { message: 'a secret query' }, 400), 'answered with status 400'],
  ['silence', () => undefined, 'did not answer within 1500 ms'],
])('%s is no judgement, and told in plain words without key and query', async (_what, broken, reason) => {
  await using provider = await startReranker('documents', judge)
  const { reranker, lines } = rerankerOf(provider.url)
  provider.broken = broken
  const since = performance.now()
  expect(await reranker.judge('a secret query', ['1', '2'])).toBeUndefined()
  expect(performance.now() - since).toBeLessThan(2500)
  expect(reranker.failure()).toBe(`The reranker ${reason}`)
  expect(JSON.stringify(lines)).not.toContain('secret')
  provider.broken = undefined
  expect(await reranker.judge('a', ['1', '2'])).toEqual([0.01, 0.02])
  expect(reranker.failure()).toBeUndefined()
})

test('who fails three times in a row is left alone for a while, then asked again', async () => {
  await using provider = await startReranker('documents', judge)
  const { reranker, pass } = rerankerOf(provider.url)
  provider.broken = (response) => json(response, {}, 503)
  for (let time = 0; time < 5; time += 1) expect(await reranker.judge('a', ['1'])).toBeUndefined()
  expect(provider.seen).toHaveLength(3)
  expect(reranker.failure()).toBe('The reranker answered with status 503')
  provider.broken = undefined
  pass(5_000)
  expect(await reranker.judge('a', ['1'])).toEqual([0.01])
})

test('nobody there is told, and not more than eight are asked at a time', async () => {
  const { reranker } = rerankerOf(DEAD_URL)
  expect(await reranker.judge('a', ['1'])).toBeUndefined()
  expect(reranker.failure()).toBe('The reranker cannot be reached: nothing listens at its address')
  await using provider = await startReranker('documents', judge)
  const busy = rerankerOf(`${provider.url}/`)
  const all = await Promise.all(Array.from({ length: 9 }, () => busy.reranker.judge('a', ['1'])))
  expect(all.filter((judgements) => judgements === undefined)).toHaveLength(1)
})

/** Places in this order, their scores falling from 1 by a hundredth. */
function rankingOf(count: number): Ranking {
  const hits = Array.from({ length: count }, (_, place) => ({
    place,
    score: 1 - place / 100,
    keyword: 0.5,
    semantic: 0.25,
  }))
  return { hits, total: count + 5, weights: { keyword: 0.3, semantic: 0.7 }, parts: ['keyword'], nearest: [] }
}

const toolOf = (name: string) => ({ originalName: name, server: 's', tags: [], text: JSON.stringify({ name }) })
const tools = Array.from({ length: 60 }, (_, place) => toolOf(`tool${place}`) as unknown as CatalogTool)

const saying = (judgements: (texts: readonly string[]) => number[] | undefined): Reranker => ({
  judge: (_query, texts) => Promise.resolve(judgements(texts)),
  failure: () => undefined,
})
const asked = { text: 'q', threshold: 0 }

test('the best thirty stand in the order of the judgements, which are their scores; who comes after stays below (R072)', async () => {
  const backwards = saying((texts) => texts.map((_, at) => 0.2 + at / 100))
  const { hits, parts, weights, total } = (await reranked(backwards, asked, rankingOf(40), tools))!
  expect(hits.map(({ place }) => place)).toEqual([
    ...Array.from({ length: 30 }, (_, at) => 29 - at),
    ...Array.from({ length: 10 }, (_, at) => 30 + at),
  ])
  expect(hits[0]).toEqual({ place: 29, score: 0.49, rerank: 0.49, keyword: 0.5, semantic: 0.25 })
  for (const { place, score, rerank } of hits.slice(30)) {
    expect(score).toBeCloseTo(0.2 * (1 - place / 100), 9)
    expect(rerank).toBeUndefined()
  }
  const scores = hits.map(({ score }) => score)
  expect(scores).toEqual(scores.toSorted((a, b) => b - a))
  expect({ parts, total }).toEqual({ parts: ['keyword', 'rerank'], total: 45 })
  expect(weights).toEqual(rankingOf(1).weights)
})

test('judgements beyond 0 to 1 are logits: they become shares in the same order, also where shares are too coarse', async () => {
  const logits = saying((texts) => texts.map((_, at) => (at === 2 ? -3 : 50 + at)))
  const { hits } = (await reranked(logits, asked, rankingOf(4), tools))!
  expect(hits.map(({ place }) => place)).toEqual([3, 1, 0, 2])
  expect(hits[0]!.score).toBeCloseTo(1, 9)
  expect(hits[3]!.score).toBeCloseTo(0.0474, 3)
})

test('the threshold is a share of the best judgement; what falls below it is not counted', async () => {
  const falling = saying((texts) => texts.map((_, at) => 0.8 / (at + 1)))
  const { hits, total } = (await reranked(falling, { text: 'q', threshold: 0.5 }, rankingOf(40), tools))!
  expect({ places: hits.map(({ place }) => place), total }).toEqual({ places: [0, 1], total: 2 })
})

test('without a judgement there is no reranking; where nothing was found nobody is asked', async () => {
  const silent = saying(() => undefined)
  expect(await reranked(silent, asked, rankingOf(3), tools)).toBeUndefined()
  const nothing = rankingOf(0)
  expect(await reranked(silent, asked, nothing, tools)).toBe(nothing)
})
