import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createNameTable, legalName, prefixedName, type NameWish } from './exposed-names.ts'

const wish = (upstreamId: string, wanted: string, originalName = wanted): NameWish => {
  return { kind: 'tool', upstreamId, originalName, wanted }
}

describe('R252 an exposed name', () => {
  test('is legal and at most 64 characters for any prefix and original name', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ unit: 'binary', maxLength: 200 }), (prefix, name) => {
        expect(prefixedName(prefix, name)).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
      }),
    )
  })

  test('is prefix and original name where that is legal, the original to the letter where the prefix is empty', () => {
    expect(prefixedName('files', 'read')).toBe('files__read')
    expect(prefixedName('a', 'b'.repeat(61))).toBe(`a__${'b'.repeat(61)}`)
    for (const name of ['read', 'a.b/c', 'ä', 'x'.repeat(100)]) expect(prefixedName('', name)).toBe(name)
  })

  test('differs between siblings that differ at the end, in the middle, or in letters that are not allowed', () => {
    const long = 'x'.repeat(80)
    const names = [`${long}1`, `${long}2`, 'a.b', 'a/b', 'a_b', 'a b', 'ä', 'ö', '😀', '', '_']
    expect(new Set(names.map((name) => prefixedName('p', name))).size).toBe(names.length)
    expect(legalName(`${long}1`)).toBe(legalName(`${long}1`))
  })
})

describe('R252 the table of names', () => {
  test('gives the second of two equal wishes a hash and says so', () => {
    const table = createNameTable([])
    expect(table.assign(wish('one', 'read'))).toBe('read')
    const second = table.assign(wish('two', 'read'))
    expect(second).toMatch(/^read_[A-Za-z0-9]{8}$/)
    expect(table.collisions()).toEqual([{ ...wish('two', 'read'), given: second }])
    expect(table.assign({ ...wish('two', 'read'), kind: 'prompt' })).toBe('read')
  })

  test('gives a name again over restarts, whoever comes first then', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.constantFrom('u1', 'u2', 'u3'), fc.constantFrom('a', 'b', 'c', 'x'.repeat(70))), {
          selector: ([upstream, name]) => `${upstream} ${name}`,
        }),
        fc.infiniteStream(fc.nat()),
        (wishes, order) => {
          const before = createNameTable([])
          const first = new Map(
            wishes.map(([id, name]) => [`${id} ${name}`, before.assign(wish(id, legalName(name), name))]),
          )
          expect(new Set(first.values()).size).toBe(wishes.length)
          const after = createNameTable(before.takeNew())
          const shuffled = wishes.map((each) => [order.next().value, each] as const).toSorted(([a], [b]) => a - b)
          for (const [, [id, name]] of shuffled)
            expect(after.assign(wish(id, legalName(name), name))).toBe(first.get(`${id} ${name}`))
          expect(after.takeNew()).toEqual([])
        },
      ),
    )
  })

  test('lets a thing keep the name it was given when the one that was in its way is gone', () => {
    const table = createNameTable([])
    table.assign(wish('one', 'read'))
    const given = table.assign(wish('two', 'read'))
    const rows = table.takeNew()
    table.forget('one')
    expect(table.assign(wish('two', 'read'))).toBe(given)
    expect(createNameTable(rows.filter(({ upstreamId }) => upstreamId === 'two')).assign(wish('two', 'read'))).toBe(
      given,
    )
    expect(table.collisions()).toEqual([])
    expect(table.assign(wish('three', 'read'))).toBe('read')
  })

  test('gives names of their own to two things that were stored with one', () => {
    const rows = ['one', 'two'].map((upstreamId) => {
      return { kind: 'tool', upstreamId, originalName: 'read', exposedName: 'read' } as const
    })
    const table = createNameTable(rows)
    expect(table.assign(wish('one', 'read'))).toBe('read')
    const second = table.assign(wish('two', 'read'))
    expect(second).toMatch(/^read_[A-Za-z0-9]{8}$/)
    expect(table.takeNew()).toEqual([{ ...rows[1], exposedName: second }])
  })

  test('frees the old name of a thing that wants another one, and all names of an upstream that is forgotten', () => {
    const table = createNameTable([])
    table.assign(wish('one', 'read'))
    expect(table.assign(wish('one', 'fetch', 'read'))).toBe('fetch')
    expect(table.assign(wish('two', 'read'))).toBe('read')
    table.forget('two')
    table.forget('one')
    expect(table.assign(wish('three', 'read'))).toBe('read')
    expect(table.assign(wish('three', 'fetch'))).toBe('fetch')
  })
})
