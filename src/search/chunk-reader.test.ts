import * as fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { ALONE, createChunkReader, GAP, PART } from './chunk-reader.ts'

const CHUNK = /\w+|[^\w\s]/g

function open() {
  const made: string[] = []
  const reader = createChunkReader({
    kindOf: (character) => (/\s/.test(character) ? GAP : /\w/.test(character) ? PART : ALONE),
    split: (text) => text.match(CHUNK) ?? [],
    make(chunk) {
      made.push(chunk)
      return [chunk]
    },
  })
  return { ...reader, made, chunks: (text: string) => reader.read(text).flat() }
}

/** Where the reader's table has a word. */
function placeOf(word: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(word)) hash = Math.imul(hash ^ byte, 0x01000193)
  return ((hash ^ (hash >>> 15)) >>> 0) % 65_536
}

describe('R070 a chunk reader', () => {
  test('reads plain text as its own way of splitting does', () => {
    const { chunks } = open()
    const unit = fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...Array.from('abcXYZ019_ \n.,-{}')) }, fc.string())
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 300 }), (text) => {
        expect(chunks(text)).toEqual(text.match(CHUNK) ?? [])
      }),
    )
  })

  test('reads other scripts, and texts and words of any length', () => {
    const { chunks } = open()
    const words = Array.from({ length: 5000 }, (_, at) => `word${at}`)
    for (const text of [
      '',
      'é',
      'naïve café x',
      words.join(' '),
      `${words.join(' ')} é`,
      'x'.repeat(16_383),
      'x'.repeat(100_000),
    ])
      expect(chunks(text)).toEqual(text.match(CHUNK) ?? [])
    // All bytes of the text fit, and its last letter has two.
    expect(chunks(`${'y '.repeat(8191)}yé`)).toEqual(`${'y '.repeat(8191)}yé`.match(CHUNK))
  })

  test('makes each thing once, more of them than it has places for, and again what it was told to forget', () => {
    const { chunks, made, forget } = open()
    for (const text of ['a b a b', 'b a', 'é ü é', 'ü é']) chunks(text)
    expect(made).toEqual(['a', 'b', 'é', 'ü'])
    const many = Array.from({ length: 70_000 }, (_, at) => `n${at}`)
    for (let at = 0; at < many.length; at += 1000) {
      const text = many.slice(at, at + 1000).join(' ')
      expect(chunks(text)).toEqual(text.split(' '))
    }
    expect(chunks(many.slice(0, 100).join(' '))).toEqual(many.slice(0, 100))
    made.length = 0
    forget()
    chunks('a b')
    expect(made).toEqual(['a', 'b'])
  })

  test('is not held up by words that were made to meet at one place', () => {
    const meeting: string[] = []
    for (let at = 0; meeting.length < 1000; at += 1) if (placeOf(`w${at}`) < 32) meeting.push(`w${at}`)
    const { chunks, made } = open()
    for (let round = 0; round < 2; round += 1) expect(chunks(meeting.join(' '))).toEqual(meeting)
    expect(made.length).toBeGreaterThan(1900)
  })

  test('holds nothing when nothing has been read for some seconds', () => {
    vi.useFakeTimers()
    try {
      const { chunks, made } = open()
      for (const text of ['a', 'é']) chunks(text)
      vi.advanceTimersByTime(6000)
      for (const text of ['a', 'é']) chunks(text)
      expect(made).toEqual(['a', 'é', 'a', 'é'])
    } finally {
      vi.useRealTimers()
    }
  })
})
