/** The part of an AbortSignal that calls need; every AbortSignal is one. */
export interface CancelSignal {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/**
 * Controller and signal in one, without the machinery of an EventTarget: two a call of the platform's own cost more than
 * the rest of the call path, most of it in the garbage collector.
 */
export class Cancellation implements CancelSignal {
  /** Nearly always one: a second and further ones go into the set. */
  #listener: (() => void) | undefined
  #more: Set<() => void> | undefined
  #aborted = false
  #reason: unknown

  get aborted(): boolean {
    return this.#aborted
  }

  get reason(): unknown {
    return this.#reason
  }

  /** Runs the listeners once, in the order they came. Later calls do nothing. */
  abort(reason: unknown): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#reason = reason
    const first = this.#listener
    const more = this.#more
    this.#listener = undefined
    this.#more = undefined
    first?.()
    if (more) for (const listener of more) listener()
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    if (this.#aborted) return
    if (!this.#listener) this.#listener = listener
    else (this.#more ??= new Set()).add(listener)
  }

  /** One that is aborted when `signal` is, with its reason. */
  static following(signal: AbortSignal): Cancellation {
    const cancellation = new Cancellation()
    if (signal.aborted) cancellation.abort(signal.reason)
    else signal.addEventListener('abort', () => cancellation.abort(signal.reason), { once: true })
    return cancellation
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    if (this.#listener === listener) this.#listener = undefined
    else this.#more?.delete(listener)
  }
}
