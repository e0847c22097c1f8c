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
  readonly #call: RoutedCall
  readonly #now: () => number
  readonly #idleMs: number
  #hardAt: number
  #lastSignAt: number
  #questions = 0
  #askedAt = 0
  #timer: NodeJS.Timeout

  constructor(call: RoutedCall, now: () => number) {
    this.#call = call
    this.#now = now
    this.#idleMs = call.target.timeoutMs
    this.#lastSignAt = now()
    this.#hardAt = this.#lastSignAt + this.#idleMs * HARD_LIMIT_FACTOR
    this.#timer = setTimeout(look, this.#idleMs, this)
  }

  /** The call, its progress and questions seen. Most calls can have neither, and pass as they are. */
  get call(): RoutedCall {
    const { caller } = this.#call
    return caller.ask || caller.progressTokenText !== undefined
      ? { ...this.#call, caller: this.#watched(caller) }
      : this.#call
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #watched(caller: Caller): Caller {
    const { notify, ask } = caller
    return {
      ...caller,
      ...(notify && {
        notify: (method, paramsText) => {
          if (method === 'notifications/progress') this.#lastSignAt = this.#now()
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

  look(): void {
    const idleMs = this.#questions > 0 ? ANSWER_MS_MAX : this.#idleMs
    const remainingMs =
      Math.min(this.#lastSignAt + idleMs, this.#hardAt + (this.#questions > 0 ? ANSWER_MS_MAX : 0)) - this.#now()
    // While a question is open the end is far away, but the answer may come at any time.
    if (remainingMs > 0) this.#timer = setTimeout(look, Math.min(remainingMs, this.#idleMs), this)
    else this.#call.signal.abort(new AppError('timeout', this.#message(), { details: { timeout_ms: this.#idleMs } }))
  }

  #message(): string {
    const { target, name } = this.#call
    return `${target.server} did not answer ${name} in ${this.#idleMs} ms`
  }
}

function look(watch: Watch): void {
  watch.look()
}
