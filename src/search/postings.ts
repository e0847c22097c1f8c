import type { Breath } from './breath.ts'
import { createChains, END, type Chains, type WrittenChains } from './chains.ts'

const FIELD_BITS = 3
const COUNT_BITS = 5
const COUNT_MAX = (1 << COUNT_BITS) - 1
/** Between two looks at the clock. */
const LISTS_BETWEEN = 64
const SLOT_SHIFT = FIELD_BITS + COUNT_BITS

/** Where a term stands and how often: packed in one number, because there are hundreds of thousands. */
interface Posting {
  readonly slot: number
  readonly field: number
  readonly times: number
}

export const slotOf = (packed: number): number => packed >> SLOT_SHIFT
export const fieldOf = (packed: number): number => (packed >> COUNT_BITS) & ((1 << FIELD_BITS) - 1)
export const timesOf = (packed: number): number => packed & COUNT_MAX

/** The list of each term, in the order of the terms. */
export interface WrittenPostings extends WrittenChains {
  readonly terms: readonly string[]
}

/** For each term the list of its postings. */
export interface Postings extends Pick<Chains, 'memory'> {
  /** The list of a term, until something is forgotten. */
  list(term: string): number
  /** To the list of a term. What is of one slot is added together. Times beyond 31 count as 31. */
  add(list: number, posting: Posting): void
  /** Where the list of a term begins in `memory`. */
  first(term: string): number
  /** Takes all that is of these slots out: a walk through everything, so for many slots at a time. */
  forget(slots: ReadonlySet<number>): void
  /** What is of these slots, if nothing changes meanwhile. */
  written(slots: ReadonlySet<number>, breath: Breath): Promise<WrittenPostings>
}

export function createPostings(written?: WrittenPostings): Postings {
  const lists = new Map<string, number>(written?.terms.map((term, list) => [term, list]))
  const free: number[] = []
  const chains = createChains(written)
  return {
    memory: chains.memory,
    first(term) {
      const list = lists.get(term)
      return list === undefined ? END : chains.first(list)
    },
    list(term) {
      const known = lists.get(term)
      if (known !== undefined) return known
      const list = free.pop() ?? lists.size
      lists.set(term, list)
      return list
    },
    add(list, { slot, field, times }) {
      const place = (slot << FIELD_BITS) | field
      const last = chains.first(list) === END ? END : chains.last(list)
      if (last !== END && last >> COUNT_BITS === place) {
        chains.setLast(list, packed(place, timesOf(last) + times))
        return
      }
      chains.append(list, packed(place, times))
    },
    forget(slots) {
      const isMarked = marks(slots)
      const isOfThem = (posting: number): boolean => isMarked[slotOf(posting)] === 1
      for (const [term, list] of lists) {
        if (!chains.removeWhere(list, isOfThem)) continue
        lists.delete(term)
        free.push(list)
      }
    },
    written: (slots, breath) => write(lists, chains, marks(slots), breath),
  }
}

function packed(place: number, times: number): number {
  return (place << COUNT_BITS) | Math.min(times, COUNT_MAX)
}

/** A set of which hundreds of thousands ask. */
function marks(slots: ReadonlySet<number>): Uint8Array {
  let largest = -1
  for (const slot of slots) largest = Math.max(largest, slot)
  const marked = new Uint8Array(largest + 1)
  for (const slot of slots) marked[slot] = 1
  return marked
}

async function write(
  lists: ReadonlyMap<string, number>,
  chains: Chains,
  isMarked: Uint8Array,
  breath: Breath,
): Promise<WrittenPostings> {
  const { values, next } = chains.memory()
  const terms: string[] = []
  const counts = new Int32Array(lists.size)
  const all = new Int32Array(chains.size())
  let end = 0
  for (const [term, list] of lists) {
    const from = end
    for (let place = chains.first(list); place !== END; place = next[place] as number) {
      const posting = values[place] as number
      if (isMarked[slotOf(posting)] !== 1) continue
      all[end] = posting
      end += 1
    }
    if (end > from) counts[terms.push(term) - 1] = end - from
    if (list % LISTS_BETWEEN === 0) await breath.take()
  }
  return { terms, counts: counts.subarray(0, terms.length), values: all.subarray(0, end) }
}
