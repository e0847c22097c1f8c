import { expect, test } from 'vitest'
import { legacyRaw, modernRaw, type LegacyRaw, type RawClient } from '../support/raw-clients.ts'
import type { Json, Message } from '../support/raw-http.ts'
import { startFixture } from '../support/fixture/start-fixture.ts'
import type { Era } from '../support/fixture/versions.ts'
import { startTestApp } from '../support/test-app.ts'

const CLIENTS = 200
const ROUNDS = 2
const NAMESPACES = ['one', 'two']
const FIXTURE = new URL('../support/fixture/main.ts', import.meta.url).pathname

type Way = 'http' | 'stdio'
interface Cell {
  readonly client: Era
  readonly upstream: Era
  readonly way: Way
  /** With two of them every second client comes through the other. */
  readonly endpoints: 'one endpoint' | 'two namespaces'
}

const cells: readonly Cell[] = [
  { client: 'legacy', upstream: 'legacy', way: 'http', endpoints: 'one endpoint' },
  { client: 'legacy', upstream: 'legacy', way: 'stdio', endpoints: 'one endpoint' },
  { client: 'legacy', upstream: 'modern', way: 'http', endpoints: 'one endpoint' },
  { client: 'modern', upstream: 'legacy', way: 'http', endpoints: 'one endpoint' },
  { client: 'modern', upstream: 'legacy', way: 'stdio', endpoints: 'one endpoint' },
  { client: 'modern', upstream: 'modern', way: 'http', endpoints: 'one endpoint' },
  { client: 'legacy', upstream: 'legacy', way: 'stdio', endpoints: 'two namespaces' },
  { client: 'modern', upstream: 'legacy', way: 'http', endpoints: 'two namespaces' },
]

/** One of the clients; all of them use the same ids and progress tokens. */
interface Actor {
  readonly marker: string
  readonly client: RawClient
  /** Markers of the questions that came to it. */
  readonly asked: string[]
}

// Markers tell whose everything is: the answer, the progress total, the question, the log line.
test.each(cells)(
  'nothing reaches the wrong one of 200 clients with equal ids: $client clients, $upstream upstream over $way, $endpoints (R110)',
  async (cell) => {
    await using cleanup = new AsyncDisposableStack()
    const url = await gatewayFor(cell, cleanup)
    const actors = await Promise.all(Array.from({ length: CLIENTS }, (_, index) => actor(cell, url, index, cleanup)))
    const wrong: string[] = []
    const calls = await Promise.all(actors.map((each, index) => play(each, index, { way: cell.way, wrong })))
    const count = calls.reduce((sum, each) => sum + each, 0)
    console.log(`right session: ${count} calls, ${wrong.length} misrouted (${Object.values(cell).join(', ')})`)
    expect(wrong).toEqual([])
    expect(count).toBe(CLIENTS * ROUNDS * 2)
  },
)

// On a pipe a question names no call; one that was on its way when its call was cancelled must not find the next holder.
test('a question of a cancelled call never reaches whoever has the session next (R110)', async () => {
  await using cleanup = new AsyncDisposableStack()
  const url = await gatewayFor({ upstream: 'legacy', way: 'stdio' }, cleanup)
  const strangers: string[] = []
  const client = async (marker: string, isAnswering: boolean) => {
    const answer = ({ message }: Json): Json | Promise<Json> => {
      if (message !== `Answer for ${marker}`) strangers.push(`${marker} was asked: ${String(message)}`)
      return isAnswering ? { action: 'accept', content: { answer: 'yes' } } : new Promise<Json>(() => {})
    }
    return legacyRaw(url, { capabilities: { elicitation: {} }, answer: (_method, params) => answer(params) })
  }
  const pairs = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const fickle = cleanup.use(await client(`fickle${index}`, false))
      const steady = cleanup.use(await client(`steady${index}`, true))
      return { index, fickle, steady }
    }),
  )
  for (let round = 0; round < 5; round += 1) {
    const said = await Promise.all(
      pairs.flatMap(({ index, fickle, steady }) => [
        cancelled(fickle, ask(`fickle${index}`)),
        steady.call('tools/call', ask(`steady${index}`)).then(textOf),
      ]),
    )
    expect(said.filter((_, at) => at % 2 === 1)).toEqual(pairs.map(({ index }) => `steady${index}:yes`))
  }
  expect(strangers).toEqual([])
})

const ask = (marker: string) => ({ name: 'elicit_marker', arguments: { marker } })

/** What was cancelled has no answer. */
async function cancelled(client: LegacyRaw, params: Json): Promise<unknown> {
  const answer = client.call('tools/call', params, { id: 1 }).catch(() => undefined)
  await client.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } })
  return answer
}

async function gatewayFor(
  { upstream, way }: Pick<Cell, 'upstream' | 'way'>,
  cleanup: AsyncDisposableStack,
): Promise<string> {
  const args = [FIXTURE, '--transport', 'stdio', '--era', upstream]
  const server =
    way === 'stdio'
      ? { command: process.execPath, args }
      : { url: cleanup.use(await startFixture({ era: upstream })).url }
  const file = {
    servers: { fix: { ...server, prefix: '', maxConcurrency: 64 } },
    namespaces: Object.fromEntries(NAMESPACES.map((name) => [name, { servers: ['fix'] }])),
  }
  const app = cleanup.use(await startTestApp({ file, env: { META_MCP_LOGGING_LEVEL: 'ERROR' } }))
  await app.api.online('fix')
  return app.listening.mcp
}

async function actor(cell: Cell, url: string, index: number, cleanup: AsyncDisposableStack): Promise<Actor> {
  const marker = `m${index}`
  const asked: string[] = []
  const answer = (_method: string, { message }: Json): Json => {
    asked.push(String(message))
    return { action: 'accept', content: { answer: `from ${marker}` } }
  }
  const endpoint = cell.endpoints === 'two namespaces' ? `${url}/${NAMESPACES[index % 2]}` : url
  // Half of them can be asked nothing, so that they share sessions with each other.
  const options = index % 2 === 0 ? { capabilities: { elicitation: {} }, answer } : {}
  if (cell.client === 'modern')
    return { marker, client: cleanup.use(modernRaw(endpoint, { ...options, logLevel: 'info' })), asked }
  const client = cleanup.use(await legacyRaw(endpoint, options))
  await client.call('logging/setLevel', { level: 'info' })
  return { marker, client, asked }
}

interface Stage {
  readonly way: Way
  readonly wrong: string[]
}

/** The same requests with the same ids as everybody else, all at once. Answers how many; notes what was not ours. */
async function play({ marker, client, asked }: Actor, index: number, { way, wrong }: Stage): Promise<number> {
  const note = (what: string, seen: unknown): void =>
    void wrong.push(`${marker}: ${what}: ${JSON.stringify(seen)}`.slice(0, 300))
  let calls = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const total = 1000 + index
    const elicits = index % 10 === 0
    const own = elicits
      ? { name: 'elicit_marker', arguments: { marker } }
      : { name: 'echo', arguments: { message: marker } }
    const report = { name: 'report_marker', arguments: { marker, total }, _meta: { progressToken: 7 } }
    const [said, reported] = await Promise.all([
      client.call('tools/call', own, { id: 1 }),
      client.call('tools/call', report, { id: 2 }),
    ])
    calls += 2
    const expected = elicits ? `${marker}:from ${marker}` : marker
    if (textOf(said) !== expected) note('answer', said)
    if (textOf(reported) !== `${marker} of ${total}`) note('answer', reported)
    if (asked.splice(0).join() !== (elicits ? `Answer for ${marker}` : '')) note('question', asked)
    const heard = client.heard.splice(0)
    if (heard.some((message) => !isOwn(message, total, marker))) note('notification', heard)
    if (countOf(heard, 'notifications/progress') !== 3) note('progress lost', heard)
    // A pipe does not say whose log message it is: between two it goes to nobody.
    if (way === 'http' && countOf(heard, 'notifications/message') !== 1) note('log lost', heard)
  }
  return calls
}

function isOwn({ method, params = {} }: Message, total: number, marker: string): boolean {
  if (method === 'notifications/progress') return params['total'] === total && params['progressToken'] === 7
  if (method === 'notifications/message') return params['data'] === marker
  return method === 'elicitation/create'
}

function countOf(heard: readonly Message[], wanted: string): number {
  return heard.filter(({ method }) => method === wanted).length
}

function textOf({ result }: Message): unknown {
  return (result?.['content'] as [{ text?: unknown }] | undefined)?.[0].text
}
