import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nearestWords } from './nearest-words.ts'
import { createNeighbours, packedNeighbours } from './neighbours.ts'
import { loadStaticEmbedder } from './static-embedder.ts'

const FOLDER = join(import.meta.dirname, '../../assets/static-embeddings')

test('near words mean nearly the same, the nearest first', async () => {
  const { near } = await loadStaticEmbedder(FOLDER)
  const words = near('folder').map(({ word }) => word)
  expect(words).toContain('directory')
  const nearness = near('folder').map((each) => each.nearness)
  expect(nearness).toEqual(nearness.toSorted((a, b) => b - a))
  expect([near('xyzzyx'), near('')]).toEqual([[], []])
})

test('the file of near words is what the table gives', () => {
  const vocabulary = ['cat', 'dog', 'xy', 'rock']
  const rows = Int8Array.of(100, 10, 100, 20, 100, 10, -50, 100)
  const packed = packedNeighbours(nearestWords(vocabulary, rows), vocabulary.length)
  const near = createNeighbours(packed, new Map(vocabulary.map((word, token) => [word, token])))
  expect(near('cat')).toEqual([{ word: 'dog', nearness: expect.closeTo(0.995, 3) as number }])
  expect([near('rock'), near('xy')]).toEqual([[], []])
})

test('the file that is shipped is made of the table that is shipped', async () => {
  const vocabulary = readFileSync(join(FOLDER, 'vocab.txt'), 'utf8').split('\n')
  const rows = new Int8Array(readFileSync(join(FOLDER, 'tokens-256.i8')).buffer)
  const sample = ['folder', 'weather', 'delete', 'repository', 'the']
  const near = nearestWords(vocabulary, rows, (word) => sample.includes(word))
  const shipped = (await loadStaticEmbedder(FOLDER)).near
  for (const word of sample) {
    const expected = (near.get(vocabulary.indexOf(word)) ?? []).map(({ token }) => vocabulary[token])
    expect(shipped(word).map((each) => each.word)).toEqual(expected)
  }
})
