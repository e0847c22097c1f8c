import { expect, test } from 'vitest'
import { addServer, openTestApi } from '../../test/support/test-api.ts'

const BASE = '/api/v1/namespaces'

test('a namespace lives: published, replaced as a whole, removed', async () => {
  await using t = await openTestApi()
  await addServer(t, 'files', ['read', 'write'])
  const body = {
    name: 'dev',
    description: 'For us',
    servers: ['files'],
    tools: { exclude: ['*write'] },
    expose: 'search',
  }
  expect(await t.send('POST', BASE, body)).toMatchObject({
    status: 201,
    body: { ...body, tools: { include: [], exclude: ['*write'] }, endpoint: '/mcp/dev', tool_count: 1, origin: 'api' },
  })
  expect((await t.send('POST', BASE, body)).status).toBe(409)
  expect((await t.send('GET', BASE)).body).toMatchObject({
    namespaces: [{ name: 'dev' }],
    total: 1,
    limit: 100,
    offset: 0,
  })
  const overrides = { files__read: { name: 'open' } }
  expect((await t.send('PUT', `${BASE}/dev`, { overrides })).body).toMatchObject({
    name: 'dev',
    description: null,
    servers: null,
    tools: { include: [], exclude: [] },
    expose: 'all',
    overrides,
    tool_count: 2,
  })
  expect((await t.send('PUT', `${BASE}/dev`, { name: 'prod' })).body).toMatchObject({ endpoint: '/mcp/prod' })
  expect((await t.send('DELETE', `${BASE}/prod`)).status).toBe(204)
  for (const method of ['GET', 'DELETE'] as const) {
    expect(await t.send(method, `${BASE}/prod`)).toMatchObject({ status: 404, body: { error: 'not_found' } })
  }
})

test.each(['a/b', '', 'ü', 'a b', 'x'.repeat(65), '..'])(
  'the name %j cannot stand in an address and is refused',
  async (name) => {
    await using t = await openTestApi()
    expect((await t.send('POST', BASE, { name })).status).toBe(422)
  },
)
