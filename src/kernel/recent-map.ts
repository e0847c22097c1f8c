/** Remembers the entries that were used last: at least half of `sizeMax`, never more. Reading moves nothing in a table. */
export interface RecentMap<V> {
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
  deleteWhere(isGone: (value: V) => boolean): void
  readonly size: number
}

/** Two generations: when the young one is full it becomes the old one, and what nobody asked for again goes. */
export function createRecentMap<V>(sizeMax: number): RecentMap<V> {
  const generationMax = Math.floor(sizeMax / 2)
  let young = new Map<string, V>()
  let old = new Map<string, V>()
  const set = (key: string, value: V): void => {
    if (young.size >= generationMax && !young.has(key)) {
      old = young
      young = new Map()
    }
    old.delete(key)
    young.set(key, value)
  }
  return {
    set,
    get(key) {
      const value = young.get(key)
      if (value !== undefined) return value
      const older = old.get(key)
      if (older !== undefined) set(key, older)
      return older
    },
    delete(key) {
      young.delete(key)
      old.delete(key)
    },
    deleteWhere(isGone) {
      for (const entries of [young, old]) for (const [key, value] of entries) if (isGone(value)) entries.delete(key)
    },
    get size() {
      return young.size + old.size
    },
  }
}
