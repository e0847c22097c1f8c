import { array, assert, asyncProperty, constantFrom, property } from 'fast-check'
import { expect, test } from 'vitest'
import { createBreath } from './breath.ts'
import { END } from './chains.ts'
import { createPostings, fieldOf, slotOf, timesOf, type Postings, type WrittenPostings } from './postings.ts'

/** What the chains are compared with. */
type Plain = Map<string, string[]>

function listOf(lists: Postings, term: string): string[] {
  const { values, next } = lists.memory()
  const found: string[] = []
  for (let node = lists.first(term); node !== END; node = next[node]!) {
    const posting = values[node]!
    found.push(`${slotOf(posting)}.${fieldOf(posting)}.${timesOf(posting)}`)
  }
  return found
}

const TERMS = ['read', 'write', 'file', 'mail']
const slots = array(array(constantFrom(...TERMS), { maxLength: 6 }), { maxLength: 30 })

/** A slot for each text; those of even numbers are forgotten, and used again with the same text turned round. */
function fill(texts: readonly (readonly string[])[]): { lists: Postings; plain: Plain } {
  const lists = createPostings()
  const addAll = (slot: number, text: readonly string[]): void =>
    text.forEach((term, at) => lists.add(lists.list(term), { slot, field: at % 3, times: at + 1 }))
  texts.forEach((text, slot) => addAll(slot, text))
  const even = [...texts.keys()].filter((slot) => slot % 2 === 0)
  lists.forget(new Set(even))
  for (const slot of even) addAll(slot, texts[slot]!.toReversed())
  const plain: Plain = new Map()
  const order = [...[...texts.keys()].filter((slot) => slot % 2 === 1), ...even]
  for (const slot of order) {
    const text = slot % 2 === 0 ? texts[slot]!.toReversed() : texts[slot]!
    text.forEach((term, at) => {
      const list = plain.get(term) ?? []
      plain.set(term, list)
      const [before, times] = /^(.*)\.(\d+)$/.exec(list.at(-1) ?? '')?.slice(1) ?? []
      if (before === `${slot}.${at % 3}`) list[list.length - 1] = `${before}.${Number(times) + at + 1}`
      else list.push(`${slot}.${at % 3}.${at + 1}`)
    })
  }
  return { lists, plain }
}

function everything(lists: Postings): Plain {
  return new Map(TERMS.map((term) => [term, listOf(lists, term)]))
}

test('R070 each list has what was added and was not forgotten, in this order', () => {
  assert(
    property(slots, (texts) => {
      const { lists, plain } = fill(texts)
      expect(everything(lists)).toEqual(new Map(TERMS.map((term) => [term, plain.get(term) ?? []])))
    }),
  )
})

test('what is written of some slots and read again is what these slots had, and goes on', async () => {
  await assert(
    asyncProperty(slots, async (texts) => {
      const { lists } = fill(texts)
      const kept = new Set([...texts.keys()].filter((slot) => slot % 3 !== 0))
      const written: WrittenPostings = structuredClone(await lists.written(kept, createBreath()))
      const again = createPostings(written)
      for (const term of TERMS)
        expect(listOf(again, term)).toEqual(
          listOf(lists, term).filter((posting) => kept.has(Number(posting.split('.')[0]))),
        )
      again.add(again.list('read'), { slot: 1000, field: 0, times: 40 })
      expect(listOf(again, 'read').at(-1)).toBe('1000.0.31')
    }),
  )
})
