import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { DEAD_URL } from '../../test/support/recording-backend.ts'
import { EMBEDDINGS, json, startEmbeddings } from '../../test/support/search-provider.ts'
import { createRemoteEmbedder } from './remote-embedder.ts'

const KEY = 'sk-very"secret-0123456789'

const embedderOf = (url: string) => createRemoteEmbedder({ url, model: 'm', key: { reveal: () => KEY } })

const dot = (one: Float32Array, other: Float32Array) => one.reduce((sum, value, i) => sum + value * other[i]!, 0)

/** The vectors of "a" and "b", or why there are none. */
async function reasonFor(broken: (response: ServerResponse) => void): Promise<string> {
  await using provider = await startEmbeddings()
  await using embedder = embedderOf(provider.url)
  provider.broken = broken
  const outcome = await embedder.embed(['a', 'b']).then(
    () => 'vectors',
    (error: Error) => error.message,
  )
  expect(outcome).not.toContain(KEY)
  return outcome.replace(/^The embeddings provider /, '')
}

test('each text gets its own vector of length one, whatever the order of the answer; the key goes as Bearer (R070)', async () => {
  await using provider = await startEmbeddings()
  await using embedder = embedderOf(provider.url)
  const [mail, letter, car] = await embedder.embed(['send a mail', 'send a letter', 'drive'])
  expect(dot(mail!, mail!)).toBeCloseTo(1, 5)
  expect(dot(mail!, letter!)).toBeGreaterThan(0.5)
  expect(dot(mail!, car!)).toBeLessThan(0.2)
  const [{ headers, path, body } = { headers: {}, path: '', body: '' }] = provider.seen
  expect({ path, authorization: headers.authorization }).toEqual({ path: EMBEDDINGS, authorization: `Bearer ${KEY}` })
  expect(JSON.parse(body)).toEqual({ model: 'm', input: ['send a mail', 'send a letter', 'drive'] })
  expect(embedder.model).toBe(`remote:m@${new URL(provider.url).host}`)
})

test.each(['', '/', '/v1', '/v1/', EMBEDDINGS, `${EMBEDDINGS}?version=2`])(
  'the address may end with %j',
  async (end) => {
    await using provider = await startEmbeddings()
    await using embedder = createRemoteEmbedder({ url: provider.url + end, model: 'm' })
    await embedder.embed(['a'])
    const [{ path, query, headers } = { path: '', query: '', headers: {} }] = provider.seen
    expect(path).toBe(EMBEDDINGS)
    expect(query).toBe(end.includes('?') ? 'version=2' : '')
    expect(headers.authorization).toBeUndefined()
  },
)

const at = (...places: number[]) => ({ data: places.map((index) => ({ index, embedding: [1] })) })
const vectors = (...embeddings: unknown[]) => ({ data: embeddings.map((embedding, index) => ({ index, embedding })) })

test.each([
  ['one vector too few', vectors([1]), 'gave 1 vectors for 2 texts'],
  ['no list', { error: 'x' }, 'answered without a list of vectors'],
  ['null where a number was NaN', vectors([1, 0], [null, 0]), 'gave a vector that holds something else than numbers'],
  ['numbers as texts', vectors(['1'], ['1']), 'gave a vector that holds something else than numbers'],
  ['numbers that no number holds', vectors([1e300, 1e300], [1, 0]), 'gave a vector without a direction'],
  ['nothing but zeros', vectors([0, 0], [1, 0]), 'gave a vector without a direction'],
  ['base64', vectors('AAAA', 'AAAA'), 'gave a vector that is no list of numbers'],
  ['two lengths', vectors([1, 0], [1, 0, 0]), 'gave vectors of different lengths (2, 3)'],
  ['a place twice', at(0, 0), 'gave a vector for no text of ours'],
  ['a place that is none', at(0, 2), 'gave a vector for no text of ours'],
])('an answer with %s is none', async (_what, body, reason) => {
  expect(await reasonFor((response) => json(response, body))).toBe(reason)
})

test.each<[string, (response: ServerResponse) => void, string]>([
  [
    '401',
    (response) => json(response, { error: `Incorrect API key provided: ${KEY}` }, 401),
    'refuses the key (status 401)',
  ],
  ['500', (response) => json(response, {}, 500), 'answered with status 500: {}'],
  ['NaN', (response) => void response.end('{"data":[{"embedding":[NaN]}]}'), 'did not answer with JSON'],
  ['garbage', (response) => void response.end('<html>'), 'did not answer with JSON'],
  [
    'a redirect',
    (response) => void response.writeHead(307, { location: 'http://127.0.0.1:9/' }).end(),
    'sends on to another address (status 307): set that one',
  ],
  ['a hang-up', (response) => response.destroy(), 'closed the connection before it had answered'],
  [
    'more than it should',
    (response) => void response.end(' '.repeat(17 * 1024 * 1024)),
    'answered with more than 16 MB',
  ],
])('%s is told in plain words', async (_what, broken, reason) => {
  expect(await reasonFor(broken)).toBe(reason)
})

test('of a refusal the beginning is told, without the key that it repeats', async () => {
  const text = `${KEY} ${JSON.stringify(KEY)} is too${'\n'.repeat(3)}long${'!'.repeat(1000)}`
  const reason = await reasonFor((response) => void response.writeHead(400).end(text))
  expect(reason).toMatch(/^answered with status 400: \*\*\* "\*\*\*" is too long!+…$/)
  expect(reason.length).toBeLessThan(240)
  expect(reason).not.toContain('secret')
})

test('who is not there, or does not answer in time, is told; an end ends what is under way', async () => {
  const gone = embedderOf(DEAD_URL)
  await expect(gone.embed(['a'])).rejects.toThrow('cannot be reached: nothing listens at its address')
  await using provider = await startEmbeddings()
  const embedder = embedderOf(provider.url)
  const waiting = Promise.withResolvers<void>()
  provider.broken = () => waiting.resolve()
  await expect(embedder.embed(['a'], AbortSignal.timeout(50))).rejects.toThrow('timeout')
  const last = embedder.embed(['a'])
  const ended = expect(last).rejects.toThrow('The search has ended')
  await waiting.promise
  await embedder[Symbol.asyncDispose]()
  await ended
})
