import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startFaulty, type FaultyServer, type HttpFault, type HttpKind } from '../support/sick/faulty-http.ts'
import { openFiles } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { noMoreFilesThan, startFaultStage, type FaultStage } from './stage.ts'

/** What a call may come to, by how the server is spoken with; absent where there is no such fault. */
interface Row {
  readonly fault: HttpFault
  readonly what: string
  readonly outcomes: Partial<Record<HttpKind, readonly string[]>>
  readonly opens?: boolean
}

const all = (...codes: string[]): Row['outcomes'] => ({ 'streamable-http': codes, sse: codes, 'http-tool': codes })
const mcp = (...codes: string[]): Row['outcomes'] => ({ 'streamable-http': codes, sse: codes })

const ROWS: readonly Row[] = [
  { fault: 'black-hole', what: 'F2 takes the call and says nothing', outcomes: all('timeout') },
  { fault: 'late-first-byte', what: 'F3 has its first byte too late', outcomes: all('timeout') },
  { fault: 'drip', what: 'F3 drips', outcomes: all('timeout') },
  {
    fault: 'reset',
    what: 'F4 cuts the connection in the middle',
    outcomes: {
      'streamable-http': ['upstream_unavailable'],
      sse: ['upstream_unavailable', 'upstream_session_lost'],
      'http-tool': ['upstream_unavailable'],
    },
  },
  {
    fault: 'cut-json',
    what: 'F5 answers with half a JSON',
    // The one stream of SSE does not say which call it was meant for.
    outcomes: { 'streamable-http': ['upstream_protocol_error'], sse: ['timeout'] },
  },
  {
    fault: 'html',
    what: 'F5 answers 200 with a page for people',
    outcomes: { 'streamable-http': ['upstream_protocol_error'], sse: ['timeout'] },
  },
  {
    fault: 'wrong-id',
    what: 'F6 answers somebody else',
    outcomes: { 'streamable-http': ['upstream_protocol_error'], sse: ['timeout'] },
  },
  { fault: 'twice', what: 'F6 answers twice', outcomes: mcp('worked'), opens: false },
  { fault: 'early', what: 'F6 answers before it is asked', outcomes: mcp('worked'), opens: false },
  {
    fault: 'huge',
    what: 'F7 answers with more than is accepted',
    outcomes: {
      // Two megabytes take their time on a machine that does other things.
      'streamable-http': ['upstream_protocol_error', 'timeout'],
      sse: ['upstream_protocol_error', 'upstream_unavailable', 'upstream_session_lost', 'timeout'],
      'http-tool': ['upstream_protocol_error', 'timeout'],
    },
  },
  { fault: 'endless', what: 'F7 talks without end and does not answer', outcomes: all('timeout') },
  {
    fault: 500,
    what: 'F8 answers 500',
    outcomes: { ...mcp('upstream_unavailable'), 'http-tool': ['tool: sick answered HTTP 500: no'] },
  },
  {
    fault: 429,
    what: 'F8 answers 429: the breaker stays closed',
    outcomes: {
      ...mcp('upstream_unavailable'),
      'http-tool': ['tool: sick answered HTTP 429 and asks to wait 1 s: no'],
    },
    opens: false,
  },
  {
    fault: 401,
    what: 'F8 answers 401: the breaker stays closed',
    outcomes: { ...mcp('upstream_unavailable'), 'http-tool': ['tool: sick answered HTTP 401: no'] },
    opens: false,
  },
]

describe.each<HttpKind>(['streamable-http', 'sse', 'http-tool'])('R005, R174, R175 a sick %s', (kind) => {
  let server: FaultyServer
  let stage: FaultStage
  let filesBefore = 0

  beforeAll(async () => {
    server = await startFaulty(kind)
    const transport = kind === 'http-tool' ? { endpoint: server.url } : { url: server.url, transport: kind }
    stage = await startFaultStage(kind, transport)
    await stage.call()
    filesBefore = openFiles(process.pid)
  })

  afterAll(async () => {
    await stage[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  const rows = ROWS.filter(({ outcomes }) => outcomes[kind])
  test.each(rows)('$what', async ({ fault, outcomes, opens }) => {
    server.be(fault)
    await stage.survives(outcomes[kind] ?? [], () => server.be(undefined), opens)
  })

  test('F1 is not there at all', async () => {
    await server.down()
    // The wait for the next try may be longer than the call has time.
    await stage.survives(['upstream_unavailable', 'timeout'], () => server.up())
  })

  test('F12 comes and goes: while its breaker is open nothing but probes reaches it', async () => {
    const before = await stage.breaker()
    const callsBefore = server.calls
    for (let turn = 0; turn < 4; turn += 1) {
      server.be(500)
      const { times_opened: opened } = await stage.breaker()
      await until('the breaker opens', async () => {
        await stage.call()
        return (await stage.breaker()).times_opened > opened
      })
      server.be(undefined)
      await until('it works', async () => (await stage.call()) === 'worked')
    }
    const after = await stage.breaker()
    expect(after.refused).toBeGreaterThan(before.refused)
    expect(server.calls - callsBefore, 'what got through is what arrived').toBe(after.calls - before.calls)
  })

  const testOfLists = kind === 'http-tool' ? () => undefined : test
  testOfLists('F11 storms with list_changed: few lists are fetched, and calls work', async () => {
    server.be('list-changed-storm')
    const before = server.lists
    for (let n = 0; n < 3; n += 1) expect(await stage.call()).toBe('worked')
    server.be(undefined)
    await until('the list was fetched anew', () => server.lists > before)
    expect(server.lists - before).toBeLessThan(30)
  })

  test('is not felt by others', () => stage.sparedTheWell())

  test('leaves no file open behind it all', () => noMoreFilesThan(filesBefore))
})
