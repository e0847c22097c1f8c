import { Pool } from 'undici'
import { describe, expect, test } from 'vitest'
import { sick, startGatewayChild, type GatewayChild } from '../support/gateway-child.ts'
import { hasPostgres, testPostgres } from '../support/postgres.ts'
import { modernRaw } from '../support/raw-clients.ts'
import { until } from '../support/until.ts'
import { newDirectory } from '../support/test-app.ts'

/** The bar is 200 ms; what is asserted has room for a busy machine. */
const ANSWER_MS_MAX = 3000

interface Attack {
  readonly what: string
  run(): Promise<unknown>
}

const QUERIES: Readonly<Record<string, string>> = {
  'one word of 10,000 letters': 'a'.repeat(10_000),
  'five thousand words': 'aa '.repeat(3300),
  'two thousand different words': Array.from({ length: 1700 }, (_, n) => `w${n}`).join(' '),
  'a regular expression': '(a+)+$'.repeat(1600),
  'stars and percents': '*%_?'.repeat(2500),
  brackets: '(['.repeat(5000),
  'marks on one letter': `a${'\u0301'.repeat(9000)}`,
  'no letters': '\u{1F600}'.repeat(4000),
}

const attack = (what: string, run: () => Promise<unknown>): Attack => ({ what, run })

function attacks({ api, mcp }: GatewayChild): Attack[] {
  const client = modernRaw(mcp)
  const call = (method: string, params: Record<string, unknown>) => () => client.call(method, params)
  const long = `x://${'a'.repeat(200_000)}`
  const searches = Object.entries(QUERIES).flatMap(([what, query]) =>
    ['keyword', 'semantic', 'hybrid'].map((mode) =>
      attack(`a ${mode} search for ${what}`, () =>
        api.send('POST', 'tools/search', { query, search_type: mode, max_results: 100 }),
      ),
    ),
  )
  return [
    ...searches,
    attack('a list with a long filter', () => api.send('GET', `tools?q=${'a'.repeat(8000)}`)),
    attack('an argument for an exploding pattern', () =>
      api.execute('hostile__tool_1', { text: `${'a'.repeat(50_000)}!` }),
    ),
    attack('a namespace of stars', () =>
      api.send('POST', 'namespaces', { name: 'stars', tools: { include: [`${'*a'.repeat(60)}*b`] } }),
    ),
    attack('a resource by hostile templates', call('resources/read', { uri: long })),
    attack('a resource of braces', call('resources/read', { uri: '{'.repeat(200_000) })),
    attack('a completion of a long name', call('completion/complete', { ref: { type: 'ref/resource', uri: long } })),
    attack('a tool with a long name', call('tools/call', { name: 'a_'.repeat(100_000) })),
  ]
}

/** D6: one question must not take the time of everybody else’s. */
test('D6 questions that are made to be hard are answered as soon as others', async () => {
  await using directory = await newDirectory()
  await using gateway = await startGatewayChild({
    directory: directory.path,
    file: { servers: { hostile: sick('hostile', { start: 'eager' }) } },
    env: { META_MCP_SEARCH_EMBEDDER: 'static' },
  })
  await gateway.api.online('hostile')
  await gateway.api.send('POST', 'tools/search', { query: 'the first one reads the index' })
  const times: [ms: number, what: string][] = []
  for (const { what, run } of attacks(gateway)) {
    const from = performance.now()
    await run()
    times.push([Math.round(performance.now() - from), what])
  }
  const [slowest, ...others] = times.toSorted(([a], [b]) => b - a)
  console.log(`D6: ${times.length} hard questions; the slowest: ${[slowest, ...others.slice(0, 4)].join('; ')} (ms)`)
  expect(slowest?.[0]).toBeLessThan(ANSWER_MS_MAX)
  expect(gateway.log()).not.toContain('"level":"error"')
})

const CALLS_MAX = 6000
const CALLING_MS = 3000
const AT_ONCE = 64
/** The bar is 100,000 a minute, each there a second later; how fast is printed, because other tests run beside this one. */
const LAG_MS_MAX = 1000
const BUSY_FACTOR = 10

const ENGINES = [
  { name: 'SQLite', available: true, place: () => Promise.resolve(undefined) },
  { name: 'PostgreSQL', available: hasPostgres(), place: testPostgres },
] as const

/** As many calls as there is time for, by how they were answered. */
async function callAtOnce({ url }: GatewayChild): Promise<Record<number, number>> {
  const pool = new Pool(url, { connections: AT_ONCE })
  const statuses: Record<number, number> = {}
  const headers = { 'content-type': 'application/json' }
  const body = '{"arguments":{"said":"x"}}'
  const end = performance.now() + CALLING_MS
  let left = CALLS_MAX
  const work = async (): Promise<void> => {
    while (left > 0 && performance.now() < end) {
      left -= 1
      const path = '/api/v1/tools/well__echo/execute'
      const { statusCode, body: answer } = await pool.request({ method: 'POST', path, headers, body })
      await answer.dump()
      statuses[statusCode] = (statuses[statusCode] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  await pool.close()
  return statuses
}

/** D9: a writer that cannot keep up makes callers wait; what was answered is recorded. */
describe.each(ENGINES)('on $name', ({ available, place }) => {
  test.skipIf(!available)(
    'D9 R292 as many calls as a gateway can answer have a record each, a second later',
    async () => {
      await using directory = await newDirectory()
      const database = await place()
      await using _closed = { [Symbol.asyncDispose]: async () => database?.close() }
      await using gateway = await startGatewayChild({
        directory: directory.path,
        file: { servers: { well: sick('healthy', { start: 'eager', maxConcurrency: AT_ONCE }) } },
        env: database ? { META_MCP_DATABASE_URL: database.url } : {},
      })
      await gateway.api.online('well')
      const from = performance.now()
      const { 200: calls = 0, ...others } = await callAtOnce(gateway)
      expect(others).toEqual({})
      const rate = Math.round((calls / (performance.now() - from)) * 60_000)
      const answered = performance.now()
      const records = await gateway.api.send('GET', 'audit?action=tools:execute&outcome=success&limit=1')
      const lag = Math.round(performance.now() - answered)
      console.log(
        `D9: ${rate} audit rows a minute, all ${String(records.body['total'])} there ${lag} ms after the last answer`,
      )
      expect(records.body['total']).toBe(calls)
      expect(lag).toBeLessThan(LAG_MS_MAX * BUSY_FACTOR)
      expect((await gateway.api.send('POST', 'audit/verify', {})).body).toMatchObject({ ok: true })
      // The history is a batch behind.
      const kept = async (): Promise<unknown> => (await gateway.api.send('GET', 'executions?limit=1')).body['total']
      await until(`${calls} calls in the history`, async () => (await kept()) === calls)
    },
  )
})
