/**
 * A map whose entries come and go with every call. V8 keeps a map's outgrown tables alive until the next full collection,
 * and with them everything that was in the map at that time: in a plain Map every call would outlive its young generation.
 * Here an outgrown table holds empty boxes.
 */
export class ChurnMap<K extends string | number, V> {
  readonly #boxes = new Map<K, { value: V | undefined }>()

  get size(): number {
    return this.#boxes.size
  }

  get(key: K): V | undefined {
    return this.#boxes.get(key)?.value
  }

  has(key: K): boolean {
    return this.#boxes.has(key)
  }

  set(key: K, value: V): void {
    this.delete(key)
    this.#boxes.set(key, { value })
  }

  /** False when there was none. */
  delete(key: K): boolean {
    const box = this.#boxes.get(key)
    if (!box) return false
    box.value = undefined
    return this.#boxes.delete(key)
  }

  /** In the order they were set. */
  values(): V[] {
    return [...this.#boxes.values()].flatMap(({ value }) => (value === undefined ? [] : [value]))
  }
}
