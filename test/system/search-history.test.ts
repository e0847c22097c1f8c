import { expect, test } from 'vitest'
import type { PastSearch } from '#contract/search-history'
import { newDirectory, startTestApp } from '../support/test-app.ts'

test('R074 a search of the last moment before a restart is in the history afterwards', async () => {
  await using directory = await newDirectory()
  const gateway = await startTestApp({ directory: directory.path })
  const { body } = await gateway.api.send('POST', 'tools/search', { query: 'anything at all' })
  await gateway[Symbol.asyncDispose]()
  await using again = await startTestApp({ directory: directory.path })
  const page = (await again.api.send<{ searches: PastSearch[] }>('GET', 'searches')).body
  expect(page.searches).toMatchObject([{ search_id: body['search_id'], query: 'anything at all', surface: 'rest' }])
})
