import { expect } from 'vitest'
import { sick } from '../support/gateway-child.ts'
import { openFiles } from '../support/processes.ts'
import type { HttpKind } from '../support/sick/faulty-http.ts'
import { startTestApp, type TestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

/** What the sick one is given to answer; what is not an answer by then never will be. */
const TIMEOUT_MS = 600
/** A caller knows by then, also on a machine that does other things. */
const DEADLINE_MS = TIMEOUT_MS + 3000
const FAILURES = 2
/** Calls of the well one before anybody is sick. */
const BASELINE_CALLS = 200
const WARMING_CALLS = 300
/** The bar is twice the baseline; what is asserted has room for a machine that does other things. */
const OTHERS_FACTOR_MAX = 2
const OTHERS_MS_FLOOR = 1500
const FILES_TOLERANCE = 6

/** What a call comes to: `worked`, or the code of its failure. */
export type Outcome = string

export interface BreakerBody {
  readonly name: string
  readonly state: string
  readonly times_opened: number
  readonly refused: number
  readonly calls: number
}

/** A gateway with one sick server or tool, and one that is well. */
export interface FaultStage extends AsyncDisposable {
  readonly gateway: TestApp
  /** Calls the sick one; fails when the answer is late. */
  call(): Promise<Outcome>
  breaker(): Promise<BreakerBody>
  /**
   * Calls the sick one until its breaker has opened, when it `opens`, and as often when it does not; each outcome is one of
   * `codes`, the well one answers all the time, and the sick one is called again as soon as `heal` has made it well.
   */
  survives(codes: readonly Outcome[], heal: () => unknown, opens?: boolean): Promise<void>
  /** The well one was as quick all the time as before: prints the p99 of both, and fails when it was not. */
  sparedTheWell(): void
}

export async function startFaultStage(kind: HttpKind | 'stdio', entry: object): Promise<FaultStage> {
  const limits = { timeoutMs: TIMEOUT_MS, breaker: { failures: FAILURES, recoverySeconds: 0.3, successes: 1 } }
  const well = { well: sick('healthy', { start: 'eager' }) }
  const isTool = kind === 'http-tool'
  const file = isTool
    ? { servers: well, tools: { sick: { ...entry, ...limits } } }
    : { servers: { ...well, sick: { ...entry, ...limits, start: 'eager' } } }
  const env = { META_MCP_MAX_RESULT_BYTES: String(1024 * 1024), META_MCP_HANDSHAKE_TIMEOUT_SECONDS: '5' }
  const gateway = await startTestApp({ file, env })
  const { api } = gateway
  await api.online('well', ...(isTool ? [] : ['sick']))
  const name = isTool ? 'sick' : 'sick__work'

  const call = async (): Promise<Outcome> => {
    const startedAt = performance.now()
    const { body } = await api.execute(name)
    expect(performance.now() - startedAt, 'in time').toBeLessThan(DEADLINE_MS)
    if (body.error !== undefined) return body.error
    const said = body.result.content[0]?.text ?? ''
    return body.is_error ? `tool: ${said}` : said.includes('worked') ? 'worked' : `invented: ${said.slice(0, 200)}`
  }
  const breaker = async (): Promise<BreakerBody> => {
    const { body } = await api.send<{ circuit_breakers: BreakerBody[] }>('GET', 'circuit-breakers')
    const found = body.circuit_breakers.find((each) => each.name === 'sick')
    if (!found) throw new Error('no breaker of the sick one')
    return found
  }
  const wellAnswers = async (times: number[]): Promise<void> => {
    const startedAt = performance.now()
    const { status, text } = await api.execute('well__echo', { said: 'well' })
    times.push(performance.now() - startedAt)
    expect([status, text.includes('well')], text).toEqual([200, true])
  }
  const meanwhile: number[] = []
  /** Calls the sick one, and the well one again and again until that comes to something. */
  const callBoth = async (): Promise<Outcome> => {
    const state = { isOver: false }
    const outcome = call().finally(() => (state.isOver = true))
    do await wellAnswers(meanwhile)
    while (!state.isOver)
    return outcome
  }
  for (let n = 0; n < WARMING_CALLS; n += 1) await wellAnswers([])
  const baseline: number[] = []
  for (let n = 0; n < BASELINE_CALLS; n += 1) await wellAnswers(baseline)

  const isWellAfter = async (heal: () => unknown): Promise<void> => {
    await heal()
    await until('the sick one is well again', async () => (await call()) === 'worked')
    expect((await breaker()).state).toBe('closed')
  }

  return {
    gateway,
    call,
    breaker,
    async survives(codes, heal, opens = true) {
      await using _well = { [Symbol.asyncDispose]: () => isWellAfter(heal) }
      const before = await breaker()
      const seen: Outcome[] = []
      for (let n = 0; n < FAILURES; n += 1) {
        seen.push(await callBoth())
      }
      expect(codes, 'the first one tells why').toContain(seen[0])
      // A server that has to be started anew first may take too long.
      for (const outcome of seen) expect([...codes, 'circuit_breaker_open', 'timeout']).toContain(outcome)
      const { times_opened: opened } = await breaker()
      if (opens) expect(opened).toBeGreaterThan(before.times_opened)
      else expect(opened).toBe(before.times_opened)
    },
    sparedTheWell() {
      const [before, during] = [p99(baseline), p99(meanwhile)]
      console.log(
        `beside a sick ${kind}: p99 of ${meanwhile.length} calls of another server ${during.toFixed(1)} ms, ${before.toFixed(1)} before`,
      )
      expect(meanwhile.length).toBeGreaterThan(50)
      expect(during).toBeLessThan(Math.max(OTHERS_FACTOR_MAX * before, OTHERS_MS_FLOOR))
    },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  }
}

function p99(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Number.NaN
}

/** No more files are open in this process than there were. */
export async function noMoreFilesThan(before: number): Promise<void> {
  await until(
    `${openFiles(process.pid)} files open, ${before} before`,
    () => openFiles(process.pid) <= before + FILES_TOLERANCE,
  )
}
