import { termsOf } from './analyser.ts'
import type { SearchDocument } from './document.ts'
import type { Scope } from './scope.ts'

/** BM25F: what a term is worth in each field, and how much the field's length counts against it. */
const FIELDS: readonly { readonly weight: number; readonly b: number; textOf(document: SearchDocument): string }[] = [
  { weight: 3, b: 0.4, textOf: ({ name }) => name },
  { weight: 1.5, b: 0.3, textOf: ({ server }) => server },
  { weight: 1, b: 0.7, textOf: ({ description }) => description },
  { weight: 0.7, b: 0.6, textOf: ({ parameterNames }) => parameterNames.join(' ') },
  { weight: 0.3, b: 0.7, textOf: ({ parameterTexts }) => parameterTexts.join(' ') },
  { weight: 0.3, b: 0.6, textOf: ({ serverText }) => serverText },
  { weight: 1, b: 0.7, textOf: ({ learned }) => learned.map(({ text }) => text).join(' ') },
]
const K1 = 1.2
/** Of a long text the beginning says what it is about. */
const FIELD_CHARS_MAX = 8000

/** Where a term stands: slot, field and count packed in one number, because there are hundreds of thousands. */
const FIELD_BITS = 3
const COUNT_BITS = 5
const COUNT_MAX = (1 << COUNT_BITS) - 1
const SLOT_SHIFT = FIELD_BITS + COUNT_BITS

/** The words of all tools. A tool keeps its slot from `add` to `remove`. */
export interface KeywordIndex {
  add(slot: number, document: SearchDocument): void
  remove(slot: number): void
  /** How long the fields of a scope are on average: what `scores` needs to know once a scope. */
  averages(scope: Scope): Float64Array
  /** BM25F of each place of the scope, 0 without any of the terms. What is out of scope counts for nothing, rarity included. */
  scores(terms: readonly string[], scope: Scope, averages: Float64Array): Float64Array
}

export function createKeywordIndex(): KeywordIndex {
  const postings = new Map<string, number[]>()
  const termsIn = new Map<number, readonly string[]>()
  let lengths = new Uint16Array(FIELDS.length * 1024)
  return {
    add(slot, document) {
      const needed = (slot + 1) * FIELDS.length
      if (needed > lengths.length) lengths = grown(lengths, needed)
      const byTerm = new Map<string, number[]>()
      for (const [field, { textOf }] of FIELDS.entries()) {
        const terms = termsOf(textOf(document).slice(0, FIELD_CHARS_MAX))
        lengths[slot * FIELDS.length + field] = terms.length
        for (const term of terms) count(byTerm, term, field)
      }
      for (const [term, counts] of byTerm) post(postings, term, slot, counts)
      termsIn.set(slot, [...byTerm.keys()])
    },
    remove(slot) {
      for (const term of termsIn.get(slot) ?? []) {
        const rest = (postings.get(term) ?? []).filter((posting) => posting >> SLOT_SHIFT !== slot)
        if (rest.length === 0) postings.delete(term)
        else postings.set(term, rest)
      }
      termsIn.delete(slot)
    },
    averages: ({ slots }) => averagesOf(slots, lengths),
    scores(terms, scope, averages) {
      const scores = new Float64Array(scope.slots.length)
      const frequencies = new Float64Array(scope.slots.length)
      for (const term of new Set(terms)) {
        const found = weigh(postings.get(term) ?? [], { scope, averages, lengths, frequencies })
        const rarity = Math.log(1 + (scope.slots.length - found.length + 0.5) / (found.length + 0.5))
        for (const place of found) {
          const frequency = frequencies[place] ?? 0
          scores[place] = (scores[place] ?? 0) + (rarity * frequency) / (K1 + frequency)
          frequencies[place] = 0
        }
      }
      return scores
    },
  }
}

function count(byTerm: Map<string, number[]>, term: string, field: number): void {
  let counts = byTerm.get(term)
  if (!counts) byTerm.set(term, (counts = FIELDS.map(() => 0)))
  counts[field] = (counts[field] ?? 0) + 1
}

function post(postings: Map<string, number[]>, term: string, slot: number, counts: readonly number[]): void {
  let list = postings.get(term)
  if (!list) postings.set(term, (list = []))
  for (let field = 0; field < counts.length; field += 1) {
    const times = Math.min(counts[field] ?? 0, COUNT_MAX)
    if (times > 0) list.push((slot << SLOT_SHIFT) | (field << COUNT_BITS) | times)
  }
}

interface Weighing {
  readonly scope: Scope
  readonly averages: Float64Array
  readonly lengths: Uint16Array
  /** By place: zeros, to be filled. */
  readonly frequencies: Float64Array
}

/** How often a term stands in each place, its fields weighed; answers the places. */
function weigh(list: readonly number[], { scope: { places }, averages, lengths, frequencies }: Weighing): number[] {
  const found: number[] = []
  for (const posting of list) {
    const slot = posting >> SLOT_SHIFT
    const place = slot < places.length ? (places[slot] ?? -1) : -1
    if (place < 0) continue
    const field = (posting >> COUNT_BITS) & ((1 << FIELD_BITS) - 1)
    const { weight = 0, b = 0 } = FIELDS[field] ?? {}
    const relative = (lengths[slot * FIELDS.length + field] ?? 0) / (averages[field] ?? 1)
    if (frequencies[place] === 0) found.push(place)
    frequencies[place] = (frequencies[place] ?? 0) + (weight * (posting & COUNT_MAX)) / (1 - b + b * relative)
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
