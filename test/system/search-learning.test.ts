import { expect, test } from 'vitest'
import type { SearchAnswer } from '#contract/search'
import { startBackend } from '../support/recording-backend.ts'
import { startTestApp } from '../support/test-app.ts'

test('a call over REST teaches the search that led to it; a call that failed teaches nothing', async () => {
  await using backend = await startBackend()
  const tool = (path: string, description: string) => ({ endpoint: `${backend.url}${path}`, description })
  await using gateway = await startTestApp({
    env: { META_MCP_SEARCH_EMBEDDER: 'static' },
    file: { tools: { lamp: tool('/lamp', 'Switches the light'), door: tool('/door', 'Opens the entrance') } },
  })
  const { api } = gateway
  backend.on('/lamp', '{"ok":true}')
  const find = async (query: string) => {
    const { body } = await api.send<SearchAnswer>('POST', 'tools/search', { query, search_type: 'keyword' })
    return body.results.map(({ name }) => name)
  }
  const lessons = async () => (await api.send<{ lessons: unknown[]; total: number }>('GET', 'searches/lessons')).body
  await api.send('POST', 'tools/search', { query: 'zork the gloom' })
  expect(await find('zork')).toEqual([])
  await api.execute('door')
  expect((await lessons()).total).toBe(0)
  await api.execute('lamp')
  expect(await lessons()).toMatchObject({
    learning: true,
    total: 1,
    lessons: [{ tool: 'lamp', query: 'zork the gloom', principal: 'local' }],
  })
  expect(await find('zork')).toEqual(['lamp'])
  expect((await api.send('DELETE', 'searches/lessons?tool=nobody')).status).toBe(404)
  expect((await api.send('DELETE', 'searches/lessons?tool=lamp')).body).toEqual({ removed: 1 })
  expect(await find('zork')).toEqual([])
})
