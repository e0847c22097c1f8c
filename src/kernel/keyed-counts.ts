/** Counts by key. What comes down to nothing is forgotten. */
export class KeyedCounts {
  readonly #counts = new Map<string, number>()

  of(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  add(key: string, more: number): void {
    const count = this.of(key) + more
    if (count > 0) this.#counts.set(key, count)
    else this.#counts.delete(key)
  }

  /** The key with the highest count, of equals the first; undefined when nothing is counted. */
  most(): string | undefined {
    let found: string | undefined
    for (const [key, count] of this.#counts) if (found === undefined || count > this.of(found)) found = key
    return found
  }
}
