import type { Principal } from '#identity/principal'
import { AppError } from '#kernel/errors'
import { KeyedCounts } from '#kernel/keyed-counts'
import type { HttpResponse } from './http-exchange.ts'

/** When a caller who holds too many may look again. */
const RETRY_SECONDS = 30

/** The event streams that callers hold open without a call of theirs. */
export interface OpenStreams {
  /** Counts one more until its response closes. Throws `rate_limited` where the caller holds as many as one may. */
  admit(principal: Principal, response: Pick<HttpResponse, 'once'>): void
}

export function createOpenStreams(ofOneMax: number): OpenStreams {
  const held = new KeyedCounts()
  return {
    admit({ id }, response) {
      if (held.of(id) >= ofOneMax) throw tooMany(ofOneMax)
      held.add(id, 1)
      response.once('close', () => held.add(id, -1))
    },
  }
}

function tooMany(limit: number): AppError {
  const message = `You hold ${limit} streams open already; close one`
  return new AppError('rate_limited', message, { details: { limit, retry_after: RETRY_SECONDS } })
}
