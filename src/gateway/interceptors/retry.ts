import { AppError } from '#kernel/errors'
import { pause } from '#kernel/pause'
import { backoffMs, createRetryBudget, type RetryBudget } from '#resilience/retry'
import type { CallResult, Dispatch, Interceptor, RoutedCall } from '../call.ts'
import { createPerTarget, wayOf } from '../per-target.ts'
import { judgeResult } from './breaker.ts'

export interface RetryDeps {
  /** How often a call is tried at most, where neither server nor tool says otherwise. */
  readonly attempts: number
  /** Epoch milliseconds. */
  now(): number
}

/**
 * Tries a call again after a short wait, as long as its time, its attempts and the retries of its upstream last: when nothing
 * of it was sent, or when it may run twice without harm.
 */
export function createRetry(deps: RetryDeps): Interceptor {
  const budgets = createPerTarget<RetryBudget>({
    keyOf: wayOf,
    make: () => createRetryBudget(deps.now),
    isIdle: () => true,
  })
  return function retry(call, next) {
    const budget = budgets.of(call.target)
    budget.earn()
    const startedAt = deps.now()
    return next(call).then(
      (result) =>
        isWorthAnother(call, { result }) ? again({ ...deps, budget, startedAt }, call, next, { result }) : result,
      (error: unknown) => {
        if (isWorthAnother(call, { error })) return again({ ...deps, budget, startedAt }, call, next, { error })
        throw error
      },
    )
  }
}

type Outcome = { readonly result: CallResult } | { readonly error: unknown }

interface Allowance extends RetryDeps {
  readonly budget: RetryBudget
  readonly startedAt: number
}

/** Comes to the outcome of the last try that was made. */
async function again(allowance: Allowance, call: RoutedCall, next: Dispatch, first: Outcome): Promise<CallResult> {
  const { budget, startedAt, now } = allowance
  const attempts = call.target.attempts ?? allowance.attempts
  let outcome = first
  for (let tries = 1; tries < attempts && isWorthAnother(call, outcome); tries += 1) {
    // Not all at the same moment either.
    const waitMs = retryAfterOf(outcome) * 1000 + backoffMs(tries)
    const leftMs = startedAt + call.target.timeoutMs - now() - waitMs
    if (leftMs <= 0 || !budget.take()) break
    if (!(await pause(waitMs, call.signal))) throw call.signal.reason
    const tried = await outcomeOf(next, { ...call, target: { ...call.target, timeoutMs: leftMs } })
    // That the breaker opened meanwhile tells less than why.
    if (isRefused(tried)) break
    outcome = tried
  }
  if ('result' in outcome) return outcome.result
  throw outcome.error
}

function outcomeOf(next: Dispatch, call: RoutedCall): Promise<Outcome> {
  return next(call).then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  )
}

function isRefused(outcome: Outcome): boolean {
  return 'error' in outcome && outcome.error instanceof AppError && outcome.error.code === 'circuit_breaker_open'
}

/** Nothing was done, and the server says when it may be asked again. */
const TOO_MANY = 429

/** Seconds. */
function retryAfterOf(outcome: Outcome): number {
  if ('result' in outcome) return outcome.result.retryAfter ?? 0
  const { error } = outcome
  return error instanceof AppError ? Number(error.details['retry_after'] ?? 0) : 0
}

function isWorthAnother(call: RoutedCall, outcome: Outcome): boolean {
  if (call.signal.aborted) return false
  if ('result' in outcome) {
    if (outcome.result.status === TOO_MANY) return outcome.result.retryAfter !== undefined
    return judgeResult(outcome.result) === 'failure' && isHarmlessTwice(call)
  }
  const { error } = outcome
  if (!(error instanceof AppError) || !PASSING_CODES.has(error.code)) return false
  const { dispatched, status } = error.details
  if (status === TOO_MANY) return typeof error.details['retry_after'] === 'number'
  // A server that answers 4xx has judged the request: it would judge it again.
  if (status !== undefined && Number(status) < 500) return false
  return dispatched === false || isHarmlessTwice(call)
}

const PASSING_CODES = new Set(['upstream_unavailable', 'upstream_session_lost'])

/** To read changes nothing. A task that was begun goes on, whoever hears of it. */
function isHarmlessTwice({ kind, target, params }: RoutedCall): boolean {
  if (params['task'] !== undefined) return false
  return kind !== 'tool' || target.tool?.readOnly === true || target.tool?.idempotent === true
}
