import type { Breath } from './breath.ts'
import { chunksOf, termsOf, termsOfChunk } from './analyser.ts'
import { createChunkReader, GAP, PART } from './chunk-reader.ts'
import type { Lesson, SearchDocument } from './document.ts'
import { END } from './chains.ts'
import { createPostings, fieldOf, slotOf, timesOf, type Postings, type WrittenPostings } from './postings.ts'
import { createKeywordQueries, type KeywordQuery, type Occurrences } from './keyword-query.ts'
import type { Scope } from './scope.ts'

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
  /** What is of these slots, if nothing changes meanwhile. */
  written(slots: ReadonlySet<number>, breath: Breath): Promise<WrittenKeywords>
  /** How long the fields of a scope are on average: what a query needs to know once a scope. */
  averages(scope: Scope): Float64Array
  /** What is out of scope counts for nothing, rarity included. */
  query(scope: PreparedScope): KeywordQuery
}

export function createKeywordIndex(written?: WrittenKeywords): KeywordIndex {
  const postings = createPostings(written?.postings)
  const reader = createChunkReader({
    kindOf: (character) => (/[A-Za-z0-9]/.test(character) ? PART : GAP),
    split: chunksOf,
    make: (chunk) => termsOfChunk(chunk).map(postings.list),
  })
  let lengths = written ? written.lengths.slice() : new Uint16Array(FIELDS.length * 1024)
  /** Answers how many terms it has. */
  const addText = (text: string, slot: number, field: number): number => {
    let length = 0
    for (const lists of reader.read(text)) {
      length += lists.length
      for (const list of lists) postings.add(list, { slot, field, times: 1 })
    }
    return length
  }
  return {
    add(slot, document) {
      const needed = (slot + 1) * FIELDS.length
      if (needed > lengths.length) lengths = grown(lengths, needed)
      for (let field = 0; field < FIELDS.length; field += 1) {
        const text = FIELDS[field]?.textOf(document) ?? ''
        lengths[slot * FIELDS.length + field] = addText(text.slice(0, FIELD_CHARS_MAX), slot, field)
      }
      for (const [term, share] of learnedShares(document.learned))
        postings.add(postings.list(term), { slot, field: LEARNED, times: Math.round(share / LEARNED_STEP) })
    },
    forget(slots) {
      postings.forget(slots)
      reader.forget()
    },
    written: async (slots, breath) => ({ postings: await postings.written(slots, breath), lengths: lengths.slice() }),
    averages: ({ slots }) => averagesOf(slots, lengths),
    query: createKeywordQueries((term, scope, into) => look(term, scope, { postings, lengths }, into)),
  }
}

function firstParameterTexts({ parameterTexts }: SearchDocument): string {
  return parameterTexts.join(' ').slice(0, PARAMETER_CHARS_MAX)
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

/** What places are looked for in. */
interface Words {
  readonly postings: Postings
  readonly lengths: Uint16Array
}

/** How often a term stands in each place, its fields weighed. What is of one slot stands together in its list. */
function look(
  term: string,
  { averages, places }: PreparedScope,
  { postings, lengths }: Words,
  into: Occurrences,
): void {
  const { values, next } = postings.memory()
  const { places: found, frequencies } = into
  let at = -1
  for (let node = postings.first(term); node !== END; node = next[node] as number) {
    const posting = values[node] as number
    const slot = slotOf(posting)
    const place = slot < places.length ? (places[slot] as number) : -1
    if (place < 0) continue
    const field = fieldOf(posting)
    const b = B_OF[field] as number
    const relative = b === 0 ? 0 : (lengths[slot * FIELDS.length + field] as number) / (averages[field] as number)
    const frequency = ((WEIGHT_OF[field] as number) * timesOf(posting)) / (1 - b + b * relative)
    if (at >= 0 && found[at] === place) frequencies[at] = (frequencies[at] as number) + frequency
    else {
      at += 1
      found[at] = place
      frequencies[at] = frequency
    }
  }
  into.count = at + 1
}

function averagesOf(slots: Int32Array, lengths: Uint16Array): Float64Array {
  const sums = new Float64Array(FIELDS.length)
  for (let place = 0; place < slots.length; place += 1) {
    const from = (slots[place] as number) * FIELDS.length
    for (let field = 0; field < sums.length; field += 1)
      sums[field] = (sums[field] as number) + (lengths[from + field] ?? 0)
  }
  return sums.map((sum) => Math.max(sum / Math.max(slots.length, 1), 1e-9))
}

function grown(lengths: Uint16Array, needed: number): Uint16Array<ArrayBuffer> {
  const larger = new Uint16Array(Math.max(needed, lengths.length * 2))
  larger.set(lengths)
  return larger
}
