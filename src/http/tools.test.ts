import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppError } from '#kernel/errors'
import { addServer, openTestApi, type TestApi } from '../../test/support/test-api.ts'

const TOOL = { name: 'weather', description: 'Tells the weather', endpoint: 'http://127.0.0.1:9/weather/{city}' }
const register = (t: TestApi, body: object = {}) => t.send('POST', '/api/v1/tools', { ...TOOL, ...body })
const at = (name: string) => `/api/v1/tools/${encodeURIComponent(name)}`
const namesIn = (body: unknown) => (body as { tools: { name: string }[] }).tools.map(({ name }) => name)

/** S12: a file's tool leads where its operator trusts; a change over the API that does not move it leaves that so. */
test('S12 what is changed where it stays keeps its origin, what is moved loses it', async () => {
  await using t = await openTestApi()
  await register(t)
  const { httpTools } = t.deps.registry
  const { id, ...record } = httpTools.get('weather')
  await httpTools.update(id, record, 'digest-of-the-file')
  await t.send('PUT', at('weather'), { description: 'Better', headers: { 'x-a': 'b' }, endpoint: TOOL.endpoint })
  expect(httpTools.get('weather')).toMatchObject({ origin: 'file', description: 'Better' })
  await t.send('PUT', at('weather'), { endpoint: 'http://127.0.0.1:9/elsewhere' })
  expect(httpTools.get('weather').origin).toBe('api')
})

test('R045 R050 R130 a registered tool is listed, changed, removed, gone everywhere, and its name free again', async () => {
  await using t = await openTestApi()
  const registered = await register(t, { category: 'geo', tags: ['now'], metadata: { owner: 'team' } })
  expect(registered).toMatchObject({ status: 201, body: { tool_id: expect.any(String), message: expect.any(String) } })
  expect((await t.send('GET', at('weather'))).body).toMatchObject({
    id: (registered.body as { tool_id: string }).tool_id,
    name: 'weather',
    server: 'http',
    kind: 'http',
    endpoint: TOOL.endpoint,
    method: 'POST',
    input_schema: { type: 'object' },
    category: 'geo',
    tags: ['now'],
    metadata: { owner: 'team' },
    enabled: true,
  })
  expect((await t.send('PUT', at('weather'), { description: 'Better', enabled: false })).body).toMatchObject({
    description: 'Better',
    enabled: false,
    category: 'geo',
  })
  expect(await t.send('DELETE', at('weather'))).toMatchObject({ status: 204, text: '' })
  for (const [method, url] of [
    ['GET', at('weather')],
    ['DELETE', at('weather')],
    ['GET', `${at('weather')}/stats`],
  ] as const) {
    expect(await t.send(method, url)).toMatchObject({ status: 404, body: { error: 'tool_not_found' } })
  }
  expect((await register(t)).status).toBe(201)
})

test('R050 of twenty registrations of one name at once exactly one succeeds', async () => {
  await using t = await openTestApi()
  const replies = await Promise.all(Array.from({ length: 20 }, () => register(t)))
  const statuses = replies.map(({ status }) => status)
  expect(statuses.toSorted((one, other) => one - other)).toEqual([201, ...Array.from({ length: 19 }, () => 409)])
})

test('R050 the name of a tool of an MCP server is taken', async () => {
  await using t = await openTestApi()
  await addServer(t, 'files', ['read'])
  expect(await register(t, { name: 'files__read' })).toMatchObject({ status: 409, body: { error: 'conflict' } })
  await register(t)
  expect((await t.send('PUT', at('weather'), { name: 'files__read' })).status).toBe(409)
})

test('R035 tools come in pages that add up to the whole, and filters narrow them', async () => {
  await using t = await openTestApi()
  await addServer(t, 'files', ['read', 'write', 'list'])
  await register(t, { category: 'geo', tags: ['now', 'later'] })
  await t.send('POST', '/api/v1/namespaces', { name: 'dev', servers: ['files'], tools: { exclude: ['*write'] } })
  const list = async (query: string) => (await t.send('GET', `/api/v1/tools?${query}`)).body
  const all = namesIn(await list(''))
  expect(all).toHaveLength(4)
  expect(await list('limit=3')).toMatchObject({ total: 4, limit: 3, offset: 0 })
  expect([...namesIn(await list('limit=3')), ...namesIn(await list('limit=3&offset=3'))]).toEqual(all)
  expect(await list('offset=9')).toMatchObject({ tools: [], total: 4 })
  expect(namesIn(await list('category=geo'))).toEqual(['weather'])
  expect(namesIn(await list('tag=later'))).toEqual(['weather'])
  expect(namesIn(await list('server=files'))).toEqual(['files__read', 'files__write', 'files__list'])
  expect(namesIn(await list('namespace=dev'))).toEqual(['files__read', 'files__list'])
  expect(namesIn(await list('q=does+LIST'))).toEqual(['files__list'])
  expect(await list('namespace=none')).toMatchObject({ tools: [], total: 0 })
})

test.each([
  'a/b',
  '../x',
  'a.b',
  'weather in zürich',
  '日本',
  '100%',
  '%2F',
  'a%2Fb',
  'research',
  'x/execute',
  'x/stats',
  'a+b',
  'q?x=1#y',
  'a/',
])('R036 the name %s round-trips through every address of the tool', async (name) => {
  await using t = await openTestApi()
  await register(t, { name: 'decoy' })
  expect((await register(t, { name })).status).toBe(201)
  for (const url of [at(name), `${at(name)}/`]) expect((await t.send('GET', url)).body).toMatchObject({ name })
  expect((await t.send('GET', `${at(name)}/stats`)).body).toMatchObject({ tool_name: name })
  expect((await t.send('POST', `${at(name)}/execute`, {})).body).toMatchObject({ tool_name: name })
  expect((await t.send('PUT', at(name), { description: 'new' })).body).toMatchObject({ name, description: 'new' })
  expect((await t.send('DELETE', at(name))).status).toBe(204)
  expect(t.deps.registry.httpTools.list().map((tool) => tool.name)).toEqual(['decoy'])
})

test('R036 any name that can be registered can be addressed', async () => {
  await using t = await openTestApi()
  const names = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(fc.oneof(names, fc.constantFrom('.', '..', '...', '%2e', '/', '#', '?')), async (name) => {
      if ((await register(t, { name })).status !== 201) return
      expect((await t.send('GET', at(name))).body).toMatchObject({ name })
      expect((await t.send('DELETE', at(name))).status).toBe(204)
    }),
    { numRuns: 60 },
  )
})

test('R036 a tool answers to its id and to its name for MCP clients too', async () => {
  await using t = await openTestApi()
  await register(t, { name: 'a/b' })
  const [tool] = t.deps.registry.catalog.allTools()
  for (const key of [tool!.id, tool!.exposedName])
    expect((await t.send('GET', at(key))).body).toMatchObject({ name: 'a/b' })
})

test('a tool of an MCP server is shown as the operator says, and stays what it is', async () => {
  await using t = await openTestApi()
  await addServer(t, 'files', ['read'])
  const change = { name: 'open', description: 'Opens', enabled: false, category: 'io', tags: ['x'], metadata: { a: 1 } }
  expect((await t.send('PUT', at('files__read'), change)).body).toMatchObject({ ...change, original_name: 'read' })
  expect((await t.send('GET', at('files__read'))).status).toBe(404)
  expect(await t.send('PUT', at('open'), { endpoint: 'http://127.0.0.1/' })).toMatchObject({
    status: 422,
    body: { error: 'validation_error', details: { fields: ['endpoint'] } },
  })
  expect(await t.send('DELETE', at('open'))).toMatchObject({ status: 409, body: { details: { server: 'files' } } })
})

test('header values of a tool never come back, and stay with the tool while it stays where it is', async () => {
  await using t = await openTestApi()
  await register(t, { headers: { Authorization: 'Bearer hush' }, endpoint: 'https://api.example/v1?api_key=hush&x=1' })
  const kept = () => t.deps.registry.httpTools.get('weather')
  const shown = await t.send('GET', at('weather'))
  expect(shown.text).not.toContain('hush')
  const { endpoint, headers } = shown.body as { endpoint: string; headers: object }
  expect((await t.send('PUT', at('weather'), { endpoint, headers, method: 'GET' })).status).toBe(200)
  expect(kept()).toMatchObject({
    method: 'GET',
    headers: { Authorization: 'Bearer hush' },
    endpoint: expect.stringContaining('hush'),
  })
  for (const stolen of [{ endpoint: 'https://evil.example/' }, { endpoint: 'https://evil.example/', headers }]) {
    expect((await t.send('PUT', at('weather'), stolen)).status).toBe(422)
  }
  expect((await t.send('PUT', at('weather'), { endpoint: 'https://b.example/', headers: { 'X-A': '1' } })).status).toBe(
    200,
  )
  expect(kept().headers).toEqual({ 'X-A': '1' })
})

function admit(draft: object): undefined {
  if (!JSON.stringify(draft).includes('10.0.0.1')) return undefined
  throw new AppError('policy_violation', 'Private addresses are closed')
}

test('a tool that the rules do not admit is neither registered nor changed', async () => {
  await using t = await openTestApi({ admit })
  const refused = { status: 403, body: { error: 'policy_violation' } }
  expect(await register(t, { endpoint: 'http://10.0.0.1/' })).toMatchObject(refused)
  await register(t)
  expect(await t.send('PUT', at('weather'), { endpoint: 'http://10.0.0.1/' })).toMatchObject(refused)
  expect(t.deps.registry.httpTools.get('weather').endpoint).toBe(TOOL.endpoint)
})
