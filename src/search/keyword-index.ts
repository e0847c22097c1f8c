import { termsOf } from './analyser.ts'
import type { SearchDocument } from './document.ts'

/** BM25F: what a term is worth in each field, and how much the field's length counts against it. */
const FIELDS: readonly { readonly weight: number; readonly b: number; textOf(document: SearchDocument): string }[] = [
  { weight: 3, b: 0.4, textOf: ({ name }) => name },
  { weight: 1.5, b: 0.3, textOf: ({ server }) => server },
  { weight: 1, b: 0.7, textOf: ({ description }) => description },
  { weight: 0.7, b: 0.6, textOf: ({ parameterNames }) => parameterNames.join(' ') },
  { weight: 0.3, b: 0.7, textOf: ({ parameterTexts }) => parameterTexts.join(' ') },
  { weight: 0.3, b: 0.6, textOf: ({ serverText }) => serverText },
]
const K1 = 1.2
/** Of a long text the beginning says what it is about. */
const FIELD_CHARS_MAX = 8000

/** Where a term stands: slot, field and count in turn, flat, because there are hundreds of thousands. */
type Postings = number[]

/** Which slots may be scored, and how long their fields are on average. */
export interface KeywordScope {
  readonly slots: ReadonlySet<number>
  readonly averages: readonly number[]
}

/** The words of all tools. A tool keeps its slot from `add` to `remove`. */
export interface KeywordIndex {
  add(slot: number, document: SearchDocument): void
  remove(slot: number): void
  scope(slots: ReadonlySet<number>): KeywordScope
  /** BM25F of the scope's slots that have any of the terms. What is out of scope counts for nothing, rarity included. */
  scores(terms: readonly string[], scope: KeywordScope): Map<number, number>
}

export function createKeywordIndex(): KeywordIndex {
  const postings = new Map<string, Postings>()
  const lengths = new Map<number, readonly number[]>()
  const termsIn = new Map<number, readonly string[]>()
  return {
    add(slot, document) {
      const counts = countTerms(document)
      for (const [term, fields] of counts.byTerm) {
        const list = postings.get(term) ?? []
        for (const [field, count] of fields) list.push(slot, field, count)
        postings.set(term, list)
      }
      lengths.set(slot, counts.lengths)
      termsIn.set(slot, [...counts.byTerm.keys()])
    },
    remove(slot) {
      for (const term of termsIn.get(slot) ?? []) {
        const rest = without(postings.get(term) ?? [], slot)
        if (rest.length === 0) postings.delete(term)
        else postings.set(term, rest)
      }
      lengths.delete(slot)
      termsIn.delete(slot)
    },
    scope: (slots) => ({ slots, averages: averagesOf(slots, lengths) }),
    scores(terms, scope) {
      const scores = new Map<number, number>()
      for (const term of new Set(terms)) {
        const found = frequencies(postings.get(term) ?? [], scope, lengths)
        const rarity = Math.log(1 + (scope.slots.size - found.size + 0.5) / (found.size + 0.5))
        for (const [slot, frequency] of found) {
          scores.set(slot, (scores.get(slot) ?? 0) + (rarity * frequency) / (K1 + frequency))
        }
      }
      return scores
    },
  }
}

function countTerms(document: SearchDocument) {
  const byTerm = new Map<string, Map<number, number>>()
  const lengths = FIELDS.map(({ textOf }, field) => {
    const terms = termsOf(textOf(document).slice(0, FIELD_CHARS_MAX))
    for (const term of terms) {
      const fields = byTerm.get(term) ?? new Map<number, number>()
      fields.set(field, (fields.get(field) ?? 0) + 1)
      byTerm.set(term, fields)
    }
    return terms.length
  })
  return { byTerm, lengths }
}

/** How often a term stands in each slot, its fields weighed. */
function frequencies(
  list: Postings,
  { slots, averages }: KeywordScope,
  lengths: ReadonlyMap<number, readonly number[]>,
) {
  const found = new Map<number, number>()
  for (let at = 0; at < list.length; at += 3) {
    const slot = list[at] ?? 0
    if (!slots.has(slot)) continue
    const field = list[at + 1] ?? 0
    const { weight = 0, b = 0 } = FIELDS[field] ?? {}
    const relative = (lengths.get(slot)?.[field] ?? 0) / (averages[field] ?? 1)
    found.set(slot, (found.get(slot) ?? 0) + (weight * (list[at + 2] ?? 0)) / (1 - b + b * relative))
  }
  return found
}

function averagesOf(slots: ReadonlySet<number>, lengths: ReadonlyMap<number, readonly number[]>): number[] {
  const sums = FIELDS.map(() => 0)
  for (const slot of slots) lengths.get(slot)?.forEach((length, field) => (sums[field] = (sums[field] ?? 0) + length))
  return sums.map((sum) => Math.max(sum / Math.max(slots.size, 1), 1e-9))
}

function without(list: Postings, slot: number): Postings {
  const rest: Postings = []
  for (let at = 0; at < list.length; at += 3) {
    if (list[at] !== slot) rest.push(list[at] ?? 0, list[at + 1] ?? 0, list[at + 2] ?? 0)
  }
  return rest
}
