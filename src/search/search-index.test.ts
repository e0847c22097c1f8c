import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createSearchIndex } from './search-index.ts'
import { loadStaticEmbedder } from './static-embedder.ts'

const FOLDER = join(import.meta.dirname, '../../assets/static-embeddings')
const DOCUMENT = {
  server: 'files',
  serverText: '',
  name: 'read file',
  description: '',
  parameterNames: [],
  parameterTexts: [],
  learned: [],
}

test.each([
  ['words come', (index: ReturnType<typeof createSearchIndex>) => index.addWords(1, DOCUMENT)],
  ['meaning comes', (index: ReturnType<typeof createSearchIndex>) => index.addMeaning(0, [])],
  ['a tool goes', (index: ReturnType<typeof createSearchIndex>) => index.remove(0)],
  ['places are freed', (index: ReturnType<typeof createSearchIndex>) => index.forget(new Set([0]))],
])('R111 an index is not written as a mixture of before and after: %s', async (_what, change) => {
  const index = createSearchIndex(await loadStaticEmbedder(FOLDER))
  index.addWords(0, DOCUMENT)
  index.addMeaning(0, [{ text: 'read file', weight: 1 }])
  const kept = new Set([0])
  expect((await index.written(kept))?.keywords.postings.terms).toEqual(['read', 'file'])
  const writing = index.written(kept)
  change(index)
  expect(await writing).toBeUndefined()
})
