/** What a search may find: nothing else is scored or counted. Scores stand in the order of `slots`. */
export interface Scope {
  readonly slots: Int32Array
  /** Where in `slots` a slot stands; -1 for those outside. */
  readonly places: Int32Array
}

/** A scope of these slots, all below `capacity`. */
export function scopeOf(slots: Int32Array, capacity: number): Scope {
  const places = new Int32Array(capacity).fill(-1)
  for (let place = 0; place < slots.length; place += 1) places[slots[place] as number] = place
  return { slots, places }
}
