/** Values by owner and key. What belongs to an owner goes when the owner does. */
export class OwnedMap<Owner extends object, T> {
  readonly #owned = new WeakMap<Owner, Map<string, T>>()

  get(owner: Owner, key: string): T | undefined {
    return this.#owned.get(owner)?.get(key)
  }

  /** Answers the value. */
  set(owner: Owner, key: string, value: T): T {
    const own = this.#owned.get(owner)
    if (own) own.set(key, value)
    else this.#owned.set(owner, new Map([[key, value]]))
    return value
  }
}
