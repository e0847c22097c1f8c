import { termsOf } from './analyser.ts'
import type { Lesson, SearchDocument } from './document.ts'
import { END } from './chains.ts'
import { createPostings, fieldOf, slotOf, timesOf, type Postings, type WrittenPostings } from './postings.ts'
import type { Scope } from './scope.ts'
import { bestOf, type Scores } from './scores.ts'

/** BM25F: what a term is worth in each field, and how much the field's length counts against it. */
const FIELDS: readonly { readonly weight: number; readonly b: number; textOf(document: SearchDocument): string }[] = [
  { weight: 3, b: 0.4, textOf: ({ name }) => name },
  { weight: 1.5, b: 0.3, textOf: ({ server }) => server },
  { weight: 1, b: 0.7, textOf: ({ description }) => description },
  { weight: 0.7, b: 0.6, textOf: ({ parameterNames }) => parameterNames.join(' ') },
  { weight: 0.3, b: 0.7, textOf: firstParameterTexts },
  { weight: 0.3, b: 0.6, textOf: ({ serverText }) => serverText },
]
/** The field of what was learned: its counts are shares of the lessons that have the term, in steps of this. */
const LEARNED = FIELDS.length
const LEARNED_STEP = 1 / 31
const K1 = 1.2
/** The two numbers of each field, the learned one included, whose length does not count. */
const WEIGHT_OF = Float64Array.from([...FIELDS.map(({ weight }) => weight), LEARNED_STEP])
const B_OF = Float64Array.from([...FIELDS.map(({ b }) => b), 0])
/** What is said of parameters is half of all text; more of it finds nothing more (docs/reference/search-quality.md). */
const PARAMETER_CHARS_MAX = 400
/** Of a long text the beginning says what it is about. */
const FIELD_CHARS_MAX = 8000

/** What an index is made of: to be written, and read again. */
export interface WrittenKeywords {
  readonly postings: WrittenPostings
  /** Of all fields, slot by slot. */
  readonly lengths: Uint16Array
}

/** A scope with what the words need to know of it. */
export interface PreparedScope extends Scope {
  readonly averages: Float64Array
}

/** The words of all tools. A tool keeps its slot from `add` until it is forgotten. */
export interface KeywordIndex {
  add(slot: number, document: SearchDocument): void
  /** Costs the same for one slot as for thousands. */
  forget(slots: ReadonlySet<number>): void
  written(slots: ReadonlySet<number>): WrittenKeywords
  /** How long the fields of a scope are on average: what `scores` needs to know once a scope. */
  averages(scope: Scope): Float64Array
  /** What is out of scope counts for nothing, rarity included. Written to `into`, zeros, where it is given. */
  scores(terms: readonly QueryTerm[], scope: PreparedScope, into?: Scores): KeywordScores
}

/** A term, and those that say nearly the same. */
export interface QueryTerm {
  readonly term: string
  readonly near: readonly { readonly term: string; readonly weight: number }[]
}

interface KeywordScores {
  /** BM25F by place, 0 without any of the terms or what is near to them. */
  readonly scores: Scores
  /** The best of the terms themselves, without what is near to them. */
  readonly best: number
}

/** Of what is near to a term so much is looked at. */
const NEAR_MAX = 3

export function createKeywordIndex(written?: WrittenKeywords): KeywordIndex {
  const postings = createPostings(written?.postings)
  let lengths = written ? written.lengths.slice() : new Uint16Array(FIELDS.length * 1024)
  let scratch = createScratch(0)
  return {
    add(slot, document) {
      const needed = (slot + 1) * FIELDS.length
      if (needed > lengths.length) lengths = grown(lengths, needed)
      for (const [field, { textOf }] of FIELDS.entries()) {
        const terms = termsOf(textOf(document).slice(0, FIELD_CHARS_MAX))
        lengths[slot * FIELDS.length + field] = terms.length
        for (const term of terms) postings.add(term, { slot, field, times: 1 })
      }
      for (const [term, share] of learnedShares(document.learned))
        postings.add(term, { slot, field: LEARNED, times: Math.round(share / LEARNED_STEP) })
    },
    forget: postings.forget,
    written: (slots) => ({ postings: postings.written(slots), lengths }),
    averages: ({ slots }) => averagesOf(slots, lengths),
    scores(terms, scope, sums = new Float64Array(scope.slots.length)) {
      const { averages } = scope
      if (scratch.size !== scope.slots.length) scratch = createScratch(scope.slots.length)
      const weighed = (term: string) => weigh(term, { postings, scope, averages, lengths, ...scratch })
      return sumUp(terms, weighed, { ...scratch, sums })
    },
  }
}

function firstParameterTexts({ parameterTexts }: SearchDocument): string {
  return parameterTexts.join(' ').slice(0, PARAMETER_CHARS_MAX)
}

/** By place; zeros between two terms. Made once for many queries. */
interface Scratch {
  readonly size: number
  readonly frequencies: Float64Array
  /** What the term at hand, or what is near to it, is worth at most. */
  readonly worths: Float64Array
  /** What the terms themselves are worth together; zeros between two queries. */
  readonly own: Float64Array
}

function createScratch(size: number): Scratch {
  const zeros = (): Float64Array => new Float64Array(size)
  return { size, frequencies: zeros(), worths: zeros(), own: zeros() }
}

/** Fills the frequencies of a term; answers the places, which are to be made 0 again. */
type Weighed = (term: string) => readonly number[]

function sumUp(
  terms: readonly QueryTerm[],
  weighed: Weighed,
  scratch: Scratch & { readonly sums: Scores },
): KeywordScores {
  const { size, worths, own, sums } = scratch
  for (const { term, near } of terms) {
    const places = weighed(term)
    const rarity = rarityOf(places.length, size)
    const touched: number[] = []
    take(places, rarity, { ...scratch, touched })
    for (const place of touched) own[place] = (own[place] as number) + (worths[place] as number)
    for (const other of nearest(near, weighed))
      take(other.places, Math.min(rarity, rarityOf(other.places.length, size)) * other.weight, { ...scratch, touched })
    for (const place of touched) {
      sums[place] = (sums[place] as number) + (worths[place] as number)
      worths[place] = 0
    }
  }
  const best = size === 0 ? 0 : bestOf(own)
  own.fill(0)
  return { scores: sums, best }
}

/** What is worth more than what a place had so far takes its place. */
function take(
  places: readonly number[],
  worth: number,
  { frequencies, worths, touched }: Scratch & { readonly touched: number[] },
): void {
  for (const place of places) {
    const frequency = frequencies[place] as number
    const value = (worth * frequency) / (K1 + frequency)
    const before = worths[place] as number
    if (before === 0) touched.push(place)
    if (value > before) worths[place] = value
    frequencies[place] = 0
  }
}

/** The nearest terms that stand anywhere in the scope, one after the other. */
function* nearest(near: QueryTerm['near'], weighed: Weighed) {
  let taken = 0
  for (const { term, weight } of near) {
    const places = weighed(term)
    if (places.length === 0) continue
    yield { places, weight }
    taken += 1
    if (taken === NEAR_MAX) return
  }
}

function rarityOf(found: number, size: number): number {
  return Math.log(1 + (size - found + 0.5) / (found + 0.5))
}

/** In which share of the lessons a term stands; less when they are old. */
function learnedShares(lessons: readonly Lesson[]): ReadonlyMap<string, number> {
  const taught = lessons.reduce((sum, { weight }) => sum + weight, 0)
  const shares = new Map<string, number>()
  for (const { text, weight } of lessons)
    for (const term of new Set(termsOf(text)))
      shares.set(term, (shares.get(term) ?? 0) + (weight / taught) * Math.min(1, taught))
  return shares
}

interface Weighing {
  readonly postings: Postings
  readonly scope: Scope
  readonly averages: Float64Array
  readonly lengths: Uint16Array
  /** By place: zeros, to be filled. */
  readonly frequencies: Float64Array
}

/** How often a term stands in each place, its fields weighed; answers the places. */
function weigh(term: string, { postings, scope: { places }, averages, lengths, frequencies }: Weighing): number[] {
  const found: number[] = []
  const { values, next } = postings.memory()
  for (let node = postings.first(term); node !== END; node = next[node] as number) {
    const posting = values[node] as number
    const slot = slotOf(posting)
    const place = slot < places.length ? (places[slot] as number) : -1
    if (place < 0) continue
    const field = fieldOf(posting)
    const b = B_OF[field] as number
    const relative = b === 0 ? 0 : (lengths[slot * FIELDS.length + field] as number) / (averages[field] as number)
    const frequency = ((WEIGHT_OF[field] as number) * timesOf(posting)) / (1 - b + b * relative)
    if (frequencies[place] === 0) found.push(place)
    frequencies[place] = (frequencies[place] as number) + frequency
  }
  return found
}

function averagesOf(slots: Int32Array, lengths: Uint16Array): Float64Array {
  const sums = new Float64Array(FIELDS.length)
  for (const slot of slots)
    for (let field = 0; field < sums.length; field += 1)
      sums[field] = (sums[field] ?? 0) + (lengths[slot * FIELDS.length + field] ?? 0)
  return sums.map((sum) => Math.max(sum / Math.max(slots.length, 1), 1e-9))
}

function grown(lengths: Uint16Array, needed: number): Uint16Array<ArrayBuffer> {
  const larger = new Uint16Array(Math.max(needed, lengths.length * 2))
  larger.set(lengths)
  return larger
}
