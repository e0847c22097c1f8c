import { AppError } from '#kernel/errors'
import type { Catalog } from '#registry/registry-api'
import {
  createBreaker,
  type Breaker,
  type BreakerRules,
  type BreakerState,
  type BreakerStatus,
  type Verdict,
} from '#resilience/breaker'
import type { CallResult, RoutedCall, Target } from './call.ts'
import { judgeError, judgeResult } from './interceptors/breaker.ts'
import { createPerTarget, wayOf } from './per-target.ts'
import { toolTarget } from './route.ts'

/** One breaker as operators see it. */
export interface BreakerEntry extends BreakerStatus {
  /** Of the upstream; of the tool where it has one for itself, as every HTTP tool has. */
  readonly name: string
  readonly kind: 'server' | 'tool'
  readonly server: string
  readonly rules: BreakerRules
}

export interface BreakerChanged {
  readonly name: string
  readonly from: BreakerState
  readonly to: BreakerState
}

/** The breakers of all that calls go to: one an upstream, one an HTTP tool, one a tool that is to have its own. */
export interface Breakers {
  of(target: Target): Breaker<RoutedCall, CallResult>
  /** By name; those too that no call has come to yet. */
  list(): readonly BreakerEntry[]
  /** Closes what has this name, and answers how it stands. AppError `not_found` when nothing has. */
  reset(name: string): BreakerEntry
  /** An upstream is another one now, or none. */
  forget(upstreamId: string): void
}

export interface BreakersDeps {
  /** What holds where nobody says otherwise. */
  readonly rules: BreakerRules
  readonly catalog: Pick<Catalog, 'allTools'>
  /** Names of tools that could do instead, for who is refused. */
  alternatives(call: RoutedCall): readonly string[]
  changed(change: BreakerChanged): void
  /** Epoch milliseconds. */
  now(): number
}

interface Named {
  readonly name: string
  readonly kind: 'server' | 'tool'
  readonly server: string
  readonly rules: BreakerRules
}

type Kept = Named & { readonly breaker: Breaker<RoutedCall, CallResult> }

export function createBreakers(deps: BreakersDeps): Breakers {
  const named = (target: Target): Named => ({ ...nameOf(target), rules: { ...deps.rules, ...target.breaker } })
  const make = (target: Target): Kept => {
    const { now, changed } = deps
    const entry = named(target)
    const breaker = createBreaker<RoutedCall, CallResult>({
      rules: entry.rules,
      now,
      judgeResult: (result, call, state) => onceACall(judgeResult(result), call, state),
      judgeError: (error, call, state) => onceACall(judgeError(error), call, state),
      refuse: (call, waitMs) => resting(entry, waitMs, deps.alternatives(call)),
      changed: (to, from) => changed({ name: entry.name, from, to }),
    })
    return { ...entry, breaker }
  }
  const kept = createPerTarget<Kept>({
    keyOf,
    make,
    isIdle: ({ breaker }) => breaker.status().failures === 0,
    fits: ({ rules }, target) => isEqual(rules, named(target).rules),
  })
  const list = (): Map<string, BreakerEntry> => {
    const known = deps.catalog.allTools().map((tool) => {
      const target = toolTarget(tool)
      return [keyOf(target), { ...FRESH, ...named(target) }] as const
    })
    const used = [...kept.all].map(([key, each]) => [key, entryOf(each)] as const)
    return new Map<string, BreakerEntry>([...known, ...used])
  }
  return {
    of: (target) => kept.of(target).breaker,
    list: () => [...list().values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    reset(name) {
      for (const each of kept.all.values()) if (each.name === name) each.breaker.reset()
      const entry = list()
        .values()
        .find((each) => each.name === name)
      if (entry) return entry
      throw new AppError('not_found', `Nothing with a breaker is called ${name}`, { details: { name } })
    },
    forget: (upstreamId) => kept.forget((key) => key === upstreamId || key.startsWith(`${upstreamId}/`)),
  }
}

const FRESH: BreakerStatus = {
  state: 'closed',
  failures: 0,
  successes: 0,
  calls: 0,
  refused: 0,
  timesOpened: 0,
  lastFailureAt: undefined,
  openedAt: undefined,
  probesAt: undefined,
}

function keyOf(target: Target): string {
  return target.tool?.hasOwnBreaker ? `${target.upstreamId}/${target.originalName}` : wayOf(target)
}

/** However often a call is tried, it is one failure. A probe that fails fails. */
function onceACall(verdict: Verdict, { notes }: RoutedCall, state: BreakerState): Verdict {
  return verdict === 'failure' && notes.attempts > 1 && state === 'closed' ? 'neither' : verdict
}

function nameOf({ server, originalName, tool }: Target): Omit<Named, 'rules'> {
  if (tool?.kind === 'http') return { name: originalName, kind: 'tool', server }
  return tool?.hasOwnBreaker
    ? { name: tool.exposedName, kind: 'tool', server }
    : { name: server, kind: 'server', server }
}

function entryOf({ breaker, name, kind, server, rules }: Kept): BreakerEntry {
  return { ...breaker.status(), name, kind, server, rules }
}

function isEqual(one: BreakerRules, other: BreakerRules): boolean {
  return one.failures === other.failures && one.recoveryMs === other.recoveryMs && one.successes === other.successes
}

function resting({ name, server }: Named, waitMs: number, alternatives: readonly string[]): AppError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000))
  const others = alternatives.length === 0 ? '' : `. Tools of the same kind that are up: ${alternatives.join(', ')}`
  return new AppError(
    'circuit_breaker_open',
    `${name} failed too often and rests; try again in ${seconds} s${others}`,
    {
      details: { server, breaker: name, retry_after: seconds, alternatives },
    },
  )
}
