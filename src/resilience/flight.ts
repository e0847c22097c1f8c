import { Cancellation, type CancelSignal } from '#kernel/cancellation'
import { AppError } from '#kernel/errors'

interface Passenger<T, W> {
  readonly waiter: W
  readonly resolve: (value: T | undefined) => void
  readonly reject: (error: unknown) => void
}

/** One run that several wait for. It ends early only when nobody waits any more. */
export class Flight<T, W> {
  /** Aborted when the last one has gone. */
  readonly signal: Cancellation = new Cancellation()
  /** It runs for whoever comes later: nobody need wait for it. */
  readonly isBackground: boolean
  /** What it brings was removed before it was there, and may not be kept. */
  isDoomed = false
  #isIsolated = false
  readonly #passengers = new Set<Passenger<T, W>>()

  constructor(isBackground: boolean) {
    this.isBackground = isBackground
  }

  /** Whether one who comes now may wait for it, and what it brings may be kept. */
  get isOpen(): boolean {
    return !this.#isIsolated && !this.isDoomed && !this.signal.aborted
  }

  /** Those who wait now, in the order they came. */
  waiting(): readonly W[] {
    return [...this.#passengers].map(({ waiter }) => waiter)
  }

  /**
   * Waits for what it brings; undefined for one who has to run his own. Rejects with the signal's reason when that aborts
   * first, and the others wait on.
   */
  board(waiter: W, signal: CancelSignal): Promise<T | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<T | undefined>()
    const passenger = { waiter, resolve, reject }
    this.#passengers.add(passenger)
    const leave = (): void => {
      this.#let(passenger, () => reject(signal.reason))
      this.#endIfEmpty(signal.reason)
    }
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave)
    return promise.finally(() => signal.removeEventListener('abort', leave))
  }

  /** From now on it is for this one alone: the others run their own. */
  isolate(owner: W): void {
    this.#isIsolated = true
    for (const each of this.#passengers) if (each.waiter !== owner) this.#let(each, () => each.resolve(undefined))
    this.#endIfEmpty(new AppError('cancelled', 'The one it was for has gone'))
  }

  landed(value: T): void {
    for (const each of this.#passengers) this.#let(each, () => each.resolve(value))
  }

  failed(error: unknown): void {
    for (const each of this.#passengers) this.#let(each, () => each.reject(error))
  }

  #let(passenger: Passenger<T, W>, go: () => void): void {
    if (this.#passengers.delete(passenger)) go()
  }

  #endIfEmpty(reason: unknown): void {
    if (this.#passengers.size === 0 && !this.isBackground) this.signal.abort(reason)
  }
}
