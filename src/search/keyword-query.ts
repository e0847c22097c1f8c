import type { PreparedScope } from './keyword-index.ts'
import type { QueryTerm } from './query-terms.ts'
import type { Scores } from './scores.ts'

const K1 = 1.2
/** Of what is near to a term so much is looked at. */
const NEAR_MAX = 3
/** Queries that run at the same time leave so much memory to the next ones, of so many entries each at most. */
const MEMORIES_MAX = 4
const ENTRIES_MAX = 2 ** 17

/** A task and its steps: each term is weighed once, in however many of them it stands. */
export interface KeywordQuery extends Disposable {
  /** Adds BM25F by place to `into`, which is zeros; answers the best. What is near to a term counts for less than it. */
  score(terms: readonly QueryTerm[], into: Scores): number
  /** The best of the terms themselves. */
  ownBest(terms: readonly QueryTerm[]): number
}

/** The places where a term stands, and how often. */
export interface Occurrences {
  readonly places: Int32Array
  readonly frequencies: Float64Array
  count: number
}

/** Writes to `into` where a term stands in a scope. */
type Look = (term: string, scope: PreparedScope, into: Occurrences) => void

/** What terms are worth, one after the other: each first where it stands itself, then where only what is near to it does. */
interface Memory {
  places: Int32Array
  worths: Float64Array
  /** Without what is near. */
  own: Float64Array
}

/** Where the worths of a term stand in the memory. */
interface Worths {
  readonly from: number
  readonly ownTo: number
  readonly to: number
}

/** By place; used by one term, or one text, after the other. */
interface Scratch {
  readonly size: number
  readonly occurrences: Occurrences
  /** Where in the memory the entry of a place stands; zeros between two terms. */
  readonly entries: Int32Array
  /** Zeros between two texts. */
  readonly sums: Float64Array
}

export function createKeywordQueries(look: Look): (scope: PreparedScope) => KeywordQuery {
  const spare: Memory[] = []
  let scratch = createScratch(0)
  return function queryOf(scope) {
    const size = scope.slots.length
    const memory = spare.pop() ?? createMemory(size)
    const known = new Map<QueryTerm, Worths>()
    let end = 0
    const worthsOf = (term: QueryTerm): Worths => {
      const before = known.get(term)
      if (before) return before
      if (scratch.size !== size) scratch = createScratch(size)
      makeRoom(memory, end + size)
      const worths = weigh(term, end, { memory, scratch, look: (word) => look(word, scope, scratch.occurrences) })
      known.set(term, worths)
      end = worths.to
      return worths
    }
    return {
      score: (terms, into) => sumUp(terms.map(worthsOf), memory, into),
      ownBest(terms) {
        const own = terms.map((term) => ownOf(worthsOf(term)))
        const best = sumUp(own, { ...memory, worths: memory.own }, scratch.sums)
        scratch.sums.fill(0)
        return best
      },
      [Symbol.dispose]() {
        if (spare.length < MEMORIES_MAX && memory.places.length <= ENTRIES_MAX) spare.push(memory)
      },
    }
  }
}

function createMemory(length: number): Memory {
  return { places: new Int32Array(length), worths: new Float64Array(length), own: new Float64Array(length) }
}

function makeRoom(memory: Memory, length: number): void {
  if (length <= memory.places.length) return
  const larger = createMemory(length * 2)
  larger.places.set(memory.places)
  larger.worths.set(memory.worths)
  larger.own.set(memory.own)
  Object.assign(memory, larger)
}

function createScratch(size: number): Scratch {
  const occurrences = { places: new Int32Array(size), frequencies: new Float64Array(size), count: 0 }
  return { size, occurrences, entries: new Int32Array(size), sums: new Float64Array(size) }
}

const ownOf = ({ from, ownTo }: Worths): Worths => ({ from, ownTo, to: ownTo })

/** Adds up what terms are worth; answers the best sum. Worths are above 0, so that no sum falls. */
function sumUp(all: readonly Worths[], { places, worths }: Memory, sums: Scores): number {
  let best = 0
  for (const { from, to } of all)
    for (let entry = from; entry < to; entry += 1) {
      const place = places[entry] as number
      const sum = (sums[place] as number) + (worths[entry] as number)
      sums[place] = sum
      if (sum > best) best = sum
    }
  return best
}

interface Weighing {
  readonly memory: Memory
  readonly scratch: Scratch
  look(term: string): void
}

/** Writes what a term is worth to the memory, from `from` on. */
function weigh({ term, near }: QueryTerm, from: number, { memory, scratch, look }: Weighing): Worths {
  const { occurrences, entries, size } = scratch
  look(term)
  const rarity = rarityOf(occurrences.count, size)
  const ownTo = takeOwn(occurrences, rarity, from, memory)
  if (near.length === 0) return { from, ownTo, to: ownTo }
  for (let entry = from; entry < ownTo; entry += 1) entries[memory.places[entry] as number] = entry + 1
  let to = ownTo
  let taken = 0
  for (const other of near) {
    look(other.term)
    if (occurrences.count === 0) continue
    to = takeNear({ memory, scratch }, Math.min(rarity, rarityOf(occurrences.count, size)) * other.weight, to)
    taken += 1
    if (taken === NEAR_MAX) break
  }
  for (let entry = from; entry < to; entry += 1) entries[memory.places[entry] as number] = 0
  return { from, ownTo, to }
}

function takeOwn({ places, frequencies, count }: Occurrences, worth: number, from: number, memory: Memory): number {
  for (let at = 0; at < count; at += 1) {
    const value = saturated(worth, frequencies[at] as number)
    memory.places[from + at] = places[at] as number
    memory.worths[from + at] = value
    memory.own[from + at] = value
  }
  return from + count
}

/** What is worth more than what a place had so far takes its place. */
function takeNear({ memory, scratch }: Omit<Weighing, 'look'>, worth: number, end: number): number {
  const { entries, occurrences } = scratch
  const { places, worths } = memory
  let to = end
  for (let at = 0; at < occurrences.count; at += 1) {
    const place = occurrences.places[at] as number
    const value = saturated(worth, occurrences.frequencies[at] as number)
    const known = (entries[place] as number) - 1
    if (known >= 0) {
      if (value > (worths[known] as number)) worths[known] = value
      continue
    }
    places[to] = place
    worths[to] = value
    to += 1
    entries[place] = to
  }
  return to
}

function saturated(worth: number, frequency: number): number {
  return (worth * frequency) / (K1 + frequency)
}

function rarityOf(found: number, size: number): number {
  return Math.log(1 + (size - found + 0.5) / (found + 0.5))
}
