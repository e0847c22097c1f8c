import type { ErrorCode } from '#kernel/error-codes'
import { AppError } from '#kernel/errors'
import { Histogram } from '#kernel/histogram'
import { isToolError, type Call, type CallKind, type CallResult, type Observer } from './call.ts'

/** How a call came out: an error is the gateway's or the way's, a tool error the tool's own. */
type CallOutcome = 'success' | 'tool_error' | 'error'

/** All calls of one server since the start, alike in three things. */
interface CallCount {
  readonly surface: Call['surface']
  readonly kind: CallKind
  readonly outcome: CallOutcome
  readonly count: number
}

/** What became of the calls of one server since the start. */
interface ServerCalls {
  /** Empty for calls that found none. */
  readonly server: string
  readonly counts: readonly CallCount[]
  readonly errors: ReadonlyMap<ErrorCode, number>
  readonly durations: Histogram
}

/** Counts calls in memory. What it keeps grows with the servers, never with what callers make up. */
export interface CallMeter {
  readonly ended: Observer
  report(): ServerCalls[]
}

/** Calls of servers that came later than so many others are counted together. */
const SERVERS_MAX = 1000
const OTHERS = '(others)'

export function createCallMeter(now: () => number): CallMeter {
  const servers = new Map<string, Tally>()
  const open = (server: string): Tally => {
    const name = servers.size < SERVERS_MAX ? server : OTHERS
    const tally = servers.get(name) ?? new Tally()
    servers.set(name, tally)
    return tally
  }
  return {
    ended(call, outcome) {
      const { server } = call.notes
      const tally = servers.get(server) ?? open(server)
      tally.add(call, outcome, (now() - call.startedAt) / 1000)
    },
    report: () => [...servers].map(([server, tally]) => ({ server, ...tally.report() })),
  }
}

const SURFACES = ['mcp', 'rest'] as const
const KINDS = ['tool', 'resource', 'prompt', 'completion'] as const
const OUTCOMES = ['success', 'tool_error', 'error'] as const

class Tally {
  readonly #counts = new Float64Array(SURFACES.length * KINDS.length * OUTCOMES.length)
  readonly #errors = new Map<ErrorCode, number>()
  readonly #durations = new Histogram()

  add({ surface, kind }: Call, outcome: CallResult | AppError, seconds: number): void {
    const at = placeOf(SURFACES.indexOf(surface), KINDS.indexOf(kind), OUTCOMES.indexOf(outcomeOf(outcome)))
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
    this.#durations.add(seconds)
    if (outcome instanceof AppError) this.#errors.set(outcome.code, (this.#errors.get(outcome.code) ?? 0) + 1)
  }

  report(): Omit<ServerCalls, 'server'> {
    const counts = SURFACES.flatMap((surface, s) =>
      KINDS.flatMap((kind, k) =>
        OUTCOMES.map((outcome, o) => ({ surface, kind, outcome, count: this.#counts[placeOf(s, k, o)] ?? 0 })),
      ),
    )
    return { counts: counts.filter(({ count }) => count > 0), errors: this.#errors, durations: this.#durations }
  }
}

function placeOf(surface: number, kind: number, outcome: number): number {
  return (surface * KINDS.length + kind) * OUTCOMES.length + outcome
}

function outcomeOf(outcome: CallResult | AppError): CallOutcome {
  if (outcome instanceof AppError) return 'error'
  return isToolError(outcome) ? 'tool_error' : 'success'
}
