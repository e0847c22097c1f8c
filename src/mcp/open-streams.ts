import type { EventEmitter } from 'node:events'
import type { Principal } from '#identity/principal'
import { AppError } from '#kernel/errors'

/** When a caller who holds too many may look again. */
const RETRY_SECONDS = 30

/** The event streams that callers hold open without a call of theirs. */
export interface OpenStreams {
  /** Counts one more until its response closes. Throws `rate_limited` where the caller holds as many as one may. */
  admit(principal: Principal, response: Pick<EventEmitter, 'once'>): void
}

export function createOpenStreams(ofOneMax: number): OpenStreams {
  const counts = new Map<string, number>()
  const release = (id: string): void => {
    const left = (counts.get(id) ?? 1) - 1
    if (left > 0) counts.set(id, left)
    else counts.delete(id)
  }
  return {
    admit({ id }, response) {
      const held = counts.get(id) ?? 0
      if (held >= ofOneMax) throw tooMany(ofOneMax)
      counts.set(id, held + 1)
      response.once('close', () => release(id))
    },
  }
}

function tooMany(limit: number): AppError {
  const message = `You hold ${limit} streams open already; close one`
  return new AppError('rate_limited', message, { details: { limit, retry_after: RETRY_SECONDS } })
}
