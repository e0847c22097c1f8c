import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRingSealer, createSealer, digest } from './seal.ts'

const sealer = createSealer(randomBytes(32))

describe('R252 a sealed text', () => {
  test('opens to what was sealed, for any text and purpose', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: 'binary' }), (purpose, payload) => {
        expect(sealer.open(purpose, sealer.seal(purpose, payload))).toBe(payload.toWellFormed())
      }),
    )
  })

  test('is made of characters that addresses and headers take, and never twice the same', () => {
    const texts = new Set(Array.from({ length: 100 }, () => sealer.seal('a', 'x')))
    expect(texts.size).toBe(100)
    for (const text of texts) expect(text).toMatch(/^[A-Za-z0-9_-]+$/)
  })

  test('does not open for another purpose or under another key', () => {
    const sealed = sealer.seal('cursor', '{"a":1}')
    for (const purpose of ['cursors', 'curso', '', 'session', 'cursor '])
      expect(sealer.open(purpose, sealed)).toBeUndefined()
    expect(createSealer(randomBytes(32)).open('cursor', sealed)).toBeUndefined()
  })

  test('does not open once any bit of it was touched, or a byte taken away or added', () => {
    const sealed = Buffer.from(sealer.seal('p', 'payload'), 'base64url')
    for (let index = 0; index < sealed.length * 8; index += 1) {
      const touched = Buffer.from(sealed)
      touched[index >> 3]! ^= 1 << (index & 7)
      expect(sealer.open('p', touched.toString('base64url'))).toBeUndefined()
    }
    for (let length = 0; length < sealed.length; length += 1)
      expect(sealer.open('p', sealed.subarray(0, length).toString('base64url'))).toBeUndefined()
    expect(sealer.open('p', Buffer.concat([sealed, Buffer.of(0)]).toString('base64url'))).toBeUndefined()
  })

  test('has one spelling alone, however leniently base64url is read', () => {
    const sealed = sealer.seal('p', 'payloads')
    const spellings = [
      `${sealed}=`,
      `${sealed}==`,
      ` ${sealed}`,
      `${sealed}\n`,
      `${sealed}.`,
      sealed.replaceAll('_', '/'),
    ]
    const last = sealed.at(-1)!
    const others = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      .split('')
      .filter((each) => each !== last)
    for (const text of [...spellings, ...others.map((each) => sealed.slice(0, -1) + each)].filter(
      (each) => each !== sealed,
    ))
      expect({ text, opened: sealer.open('p', text) }).toEqual({ text, opened: undefined })
    for (const text of ['', 'A', '💩', '\0', 'x'.repeat(100_000)]) expect(sealer.open('p', text)).toBeUndefined()
  })
})

test('R252 a fingerprint is short, stable and differs where the text does', () => {
  expect(digest('')).toBe('47DEQpj8HBSa-_TImW-5JC')
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => (digest(a) === digest(b)) === (a === b)))
})

test('what an older key sealed opens as long as it is in the ring, and new texts are of the first key', () => {
  const [old, next] = [randomBytes(32), randomBytes(32)]
  const ring = createRingSealer([next, old])
  expect(ring.open('a', createSealer(old).seal('a', 'x'))).toBe('x')
  expect(createSealer(next).open('a', ring.seal('a', 'x'))).toBe('x')
  expect(createRingSealer([next]).open('a', createSealer(old).seal('a', 'x'))).toBeUndefined()
  expect(ring.open('b', createSealer(old).seal('a', 'x'))).toBeUndefined()
})
