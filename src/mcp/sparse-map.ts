/** A map that takes next to no memory while it is empty: each of thousands of sessions has some that it never uses. */
export class SparseMap<K, V> {
  #entries: Map<K, V> | undefined

  get size(): number {
    return this.#entries?.size ?? 0
  }

  get(key: K): V | undefined {
    return this.#entries?.get(key)
  }

  has(key: K): boolean {
    return this.#entries?.has(key) ?? false
  }

  set(key: K, value: V): void {
    this.#entries ??= new Map()
    this.#entries.set(key, value)
  }

  /** False when there was none. */
  delete(key: K): boolean {
    return this.#entries?.delete(key) ?? false
  }

  clear(): void {
    this.#entries = undefined
  }

  /** In the order they were set. */
  entries(): readonly (readonly [K, V])[] {
    return this.#entries ? [...this.#entries] : []
  }
}
