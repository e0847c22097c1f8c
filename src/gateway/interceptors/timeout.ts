import { Cancellation } from '#kernel/cancellation'
import { AppError } from '#kernel/errors'
import type { Caller, Interceptor, RoutedCall } from '../call.ts'

/** However much progress a call makes, it ends after this many times its idle limit. */
const HARD_LIMIT_FACTOR = 20
/** A person who is asked something gets this long. */
const ANSWER_MS_MAX = 10 * 60_000

/**
 * Ends a call that is silent for too long. Progress starts the idle time anew, never the hard limit; while the client is
 * asked something its own time does not count.
 */
export function createTimeout(now: () => number): Interceptor {
  return async function timeout(call, next) {
    const watch = new Watch(call, now)
    try {
      return await next(watch.call)
    } finally {
      watch.stop()
    }
  }
}

/** The clock of one call. One timer that is late to notice is cheaper than one that is set anew at each sign of life. */
class Watch {
  readonly call: RoutedCall
  readonly #cancellation = new Cancellation()
  readonly #original: RoutedCall
  readonly #now: () => number
  readonly #idleMs: number
  #hardAt: number
  #lastSignAt: number
  #questions = 0
  #askedAt = 0
  #timer: NodeJS.Timeout

  constructor(call: RoutedCall, now: () => number) {
    this.#original = call
    this.#now = now
    this.#idleMs = call.target.timeoutMs
    this.#lastSignAt = now()
    this.#hardAt = now() + this.#idleMs * HARD_LIMIT_FACTOR
    this.#timer = setTimeout(() => this.#look(), this.#idleMs)
    call.signal.addEventListener('abort', this.#giveUp)
    if (call.signal.aborted) this.#giveUp()
    this.call = { ...call, signal: this.#cancellation, caller: this.#watched(call.caller) }
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#original.signal.removeEventListener('abort', this.#giveUp)
  }

  readonly #giveUp = (): void => this.#cancellation.abort(this.#original.signal.reason)

  #watched(caller: Caller): Caller {
    const { notify, ask } = caller
    return {
      ...caller,
      ...(notify && {
        notify: (method, paramsText) => {
          this.#lastSignAt = this.#now()
          notify(method, paramsText)
        },
      }),
      ...(ask && {
        ask: async (question) => {
          if (this.#questions === 0) this.#askedAt = this.#now()
          this.#questions += 1
          try {
            return await ask(question)
          } finally {
            this.#questions -= 1
            this.#lastSignAt = this.#now()
            if (this.#questions === 0) this.#hardAt += this.#lastSignAt - this.#askedAt
          }
        },
      }),
    }
  }

  #look(): void {
    const idleMs = this.#questions > 0 ? ANSWER_MS_MAX : this.#idleMs
    const remainingMs =
      Math.min(this.#lastSignAt + idleMs, this.#hardAt + (this.#questions > 0 ? ANSWER_MS_MAX : 0)) - this.#now()
    // While a question is open the end is far away, but the answer may come at any time.
    if (remainingMs > 0) this.#timer = setTimeout(() => this.#look(), Math.min(remainingMs, this.#idleMs))
    else this.#cancellation.abort(new AppError('timeout', this.#message(), { details: { timeout_ms: this.#idleMs } }))
  }

  #message(): string {
    const { target, name } = this.#original
    return `${target.server} did not answer ${name} in ${this.#idleMs} ms`
  }
}
