/** Slots by the digest of what is indexed in them. */
export type KeptSlots = ReadonlyMap<string, number>

interface SlotSink {
  remove(slot: number): void
  /** Takes what is left of removed slots out: they are used again. */
  forget(slots: ReadonlySet<number>): void
}

/** So many removed slots wait for being forgotten together, and a share of all. */
const REMOVED_MAX = 64
const REMOVED_SHARE_MAX = 0.02

/** Slots that are given, given back, and used again once nothing of them is left. */
export function createSlots(sink: SlotSink, kept: KeptSlots) {
  const unclaimed = new Map(kept)
  const free = freeBetween(new Set(kept.values()))
  let slotsMade = kept.size + free.length
  const removed = new Set<number>()
  const remove = (slot: number): void => {
    sink.remove(slot)
    removed.add(slot)
    if (removed.size < Math.max(REMOVED_MAX, slotsMade * REMOVED_SHARE_MAX)) return
    sink.forget(removed)
    free.push(...removed)
    removed.clear()
  }
  return {
    /** The slot where an earlier run has indexed it. */
    claim(digest: string): number | undefined {
      const slot = unclaimed.get(digest)
      unclaimed.delete(digest)
      return slot
    },
    hasUnclaimed: (): boolean => unclaimed.size > 0,
    fresh: (): number => free.pop() ?? (slotsMade += 1) - 1,
    remove,
    /** What nobody has claimed by now, nobody has any more. */
    removeUnclaimed(): void {
      for (const slot of unclaimed.values()) remove(slot)
      unclaimed.clear()
    },
  }
}

/** The slots below the largest one that are not taken. */
function freeBetween(taken: ReadonlySet<number>): number[] {
  let end = 0
  for (const slot of taken) end = Math.max(end, slot + 1)
  return Array.from({ length: end }, (_, slot) => slot).filter((slot) => !taken.has(slot))
}
