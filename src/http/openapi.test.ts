import { readFile } from 'node:fs/promises'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Execution } from '#gateway/executions'
import { addServer, openTestApi, type TestApi } from '../../test/support/test-api.ts'
import type { Endpoint } from './endpoint.ts'
import { ENDPOINTS } from './routes.ts'

type Method = Parameters<TestApi['send']>[0]
type Success = readonly [status: number, body?: unknown]

const TOOL = { name: 'weather', description: 'Tells the weather', endpoint: 'http://127.0.0.1:9/weather' }
const SERVER = { name: 'new', url: 'https://mcp.example/' }
const EXECUTION_ID = '01890000-0000-7000-8000-000000000000'

/** What each operation answers where all that it names exists. */
const LOGIN = { username: 'ann', password: 'correct horse battery' }
const OPERATIONS: Readonly<Record<string, Success>> = {
  'GET /': [200],
  'GET /openapi.json': [200],
  'GET /metrics': [200],
  'GET /api/v1/tools': [200],
  'POST /api/v1/tools': [201, { ...TOOL, name: 'other' }],
  'GET /api/v1/tools/{name}': [200],
  'PUT /api/v1/tools/{name}': [200, { enabled: true }],
  'POST /api/v1/tools/{name}/execute': [200, { arguments: {} }],
  'POST /api/v1/tools/search': [200, { query: 'weather' }],
  'GET /api/v1/tools/search': [200],
  'GET /api/v1/tools/{name}/stats': [200],
  'DELETE /api/v1/tools/{name}': [204],
  'GET /api/v1/executions': [200],
  'GET /api/v1/executions/{id}': [200],
  'GET /api/v1/audit': [200],
  'POST /api/v1/audit/verify': [200, {}],
  'GET /api/v1/audit/export': [200],
  'GET /api/v1/searches': [200],
  'GET /api/v1/searches/stats': [200],
  'GET /api/v1/searches/lessons': [200],
  'DELETE /api/v1/searches/lessons': [200],
  'GET /api/v1/proxy/servers': [200],
  'POST /api/v1/proxy/servers': [201, SERVER],
  'POST /api/v1/proxy/discovery': [200, {}],
  'GET /api/v1/proxy/servers/{id}': [200],
  'PUT /api/v1/proxy/servers/{id}': [200, { command: 'node' }],
  'PATCH /api/v1/proxy/servers/{id}': [200, { enabled: true }],
  'POST /api/v1/proxy/servers/{id}/restart': [200],
  'GET /api/v1/proxy/servers/{id}/logs': [200],
  'GET /api/v1/proxy/servers/{id}/stats': [200],
  'DELETE /api/v1/proxy/servers/{id}': [204],
  'GET /api/v1/namespaces': [200],
  'POST /api/v1/namespaces': [201, { name: 'other' }],
  'GET /api/v1/namespaces/{name}': [200],
  'PUT /api/v1/namespaces/{name}': [200, { expose: 'all' }],
  'DELETE /api/v1/namespaces/{name}': [204],
  'GET /api/v1/tokens': [200],
  'POST /api/v1/auth/login': [200, LOGIN],
  'POST /api/v1/auth/session': [200, LOGIN],
  'GET /api/v1/auth/session': [404],
  'DELETE /api/v1/auth/session': [404],
  'POST /api/v1/auth/refresh': [401, { refresh_token: 'x' }],
  'POST /api/v1/auth/logout': [422],
  'GET /api/v1/auth/me': [200],
  'GET /api/v1/auth/permissions': [200],
  'GET /api/v1/users': [200],
  'POST /api/v1/users': [201, { username: 'other', password: LOGIN.password }],
  'GET /api/v1/users/{id}': [404],
  'PATCH /api/v1/users/{id}': [404, {}],
  'GET /api/v1/users/{id}/logins': [404],
  'DELETE /api/v1/users/{id}': [404],
  'GET /api/v1/api-keys': [200],
  'GET /.well-known/jwks.json': [200],
  'POST /api/v1/admin/secrets/rotate': [200],
  'POST /api/v1/api-keys': [201, { name: 'x' }],
  'DELETE /api/v1/api-keys/{id}': [404],
  'GET /api/v1/roles': [200],
  'POST /api/v1/roles': [201, { name: 'other' }],
  'GET /api/v1/roles/{name}': [200],
  'PUT /api/v1/roles/{name}': [200, {}],
  'POST /api/v1/policy/explain': [200, { principal: { roles: ['user'] }, action: 'tools:execute' }],
  'DELETE /api/v1/roles/{name}': [204],
  'GET /api/v1/cache/stats': [200],
  'DELETE /api/v1/cache': [200],
  'GET /api/v1/health': [200],
  'GET /api/v1/health/live': [200],
  'GET /api/v1/health/ready': [200],
  'GET /api/v1/health/detailed': [200],
  'GET /api/v1/circuit-breakers': [200],
  'POST /api/v1/circuit-breakers/{name}/reset': [200],
  'GET /api/v1/admin/log-level': [200],
  'PUT /api/v1/admin/log-level': [200, { level: 'INFO' }],
}

async function openFilledApi(): Promise<TestApi> {
  const t = await openTestApi({ discover: () => Promise.resolve([]) })
  await addServer(t, 'files', ['read'])
  await t.send('POST', '/api/v1/tools', TOOL)
  await t.send('POST', '/api/v1/namespaces', { name: 'dev' })
  await t.send('POST', '/api/v1/roles', { name: 'dev' })
  await t.send('POST', '/api/v1/users', LOGIN)
  await t.storage.executions.append([EXECUTION])
  return t
}

const EXECUTION: Execution = {
  id: EXECUTION_ID,
  traceId: 'ab'.repeat(16),
  kind: 'tool',
  name: 'weather',
  server: 'http',
  principal: 'local',
  surface: 'rest',
  outcome: 'success',
  isError: false,
  startedAt: 0,
  durationMs: 1,
  requestBytes: 1,
  resultBytes: 1,
  stages: [],
}

function addressOf(path: string): string {
  if (/\/(tools|circuit-breakers)\//.test(path)) return path.replace('{name}', 'weather')
  const id = path.startsWith('/api/v1/executions') ? EXECUTION_ID : 'files'
  return path.replace('{name}', 'dev').replace('{id}', id)
}

function operationOf({ method, path }: Endpoint): string {
  return `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`
}

async function described(t: TestApi): Promise<string[]> {
  const { paths } = (await t.send('GET', '/openapi.json')).body as { paths: Record<string, object> }
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
}

test('R014 the description is OpenAPI 3.1 and lists exactly the endpoints of the table', async () => {
  await using t = await openTestApi()
  expect((await t.send('GET', '/openapi.json')).body).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } })
  const table = ENDPOINTS.map(operationOf)
  expect((await described(t)).sort()).toEqual(table.sort())
})

test('R255 every described operation is tried below', async () => {
  await using t = await openTestApi()
  expect((await described(t)).sort()).toEqual(Object.keys(OPERATIONS).sort())
})

test.each(Object.entries(OPERATIONS))(
  'R014 R020 R255 %s answers, with and without a slash at its end',
  async (operation, [status, body]) => {
    const [method, path] = operation.split(' ') as [Method, string]
    for (const slash of path === '/' ? [''] : ['', '/']) {
      await using t = await openFilledApi()
      const question = operation === 'GET /api/v1/tools/search' ? '?q=weather' : ''
      const reply = await t.send(method, addressOf(path) + slash + question, body)
      expect({ status: reply.status, body: reply.body }).toMatchObject({ status })
      expect(reply.headers['x-request-id']).toBeDefined()
    }
  },
)

test('R020 nothing redirects, and what is not built yet is not there', async () => {
  await using t = await openTestApi()
  for (const url of ['/docs', '/docs/', '/', '/openapi.json/']) expect((await t.send('GET', url)).status).toBe(200)
  expect((await t.send('GET', '/users')).status).toBe(404)
})

test('R261 the reference lists exactly the described operations, each with its success and summary', async () => {
  const reference = await readFile(new URL('../../docs/reference/http-api.md', import.meta.url), 'utf8')
  const rows = reference
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .join('|'),
    )
  const table = ENDPOINTS.map((each) => `|\`${operationOf(each)}\`|${each.status}|${each.summary}|`)
  expect(rows.sort()).toEqual(table.sort())
})

test('R261 the examples of the reference are accepted', async () => {
  await using t = await openTestApi()
  const reference = await readFile(new URL('../../docs/reference/http-api.md', import.meta.url), 'utf8')
  const examples = [...reference.matchAll(/```json\n(.*?)```/gs)].map(([, example]) => example)
  expect(examples).toHaveLength(1)
  for (const example of examples) expect((await t.send('POST', '/api/v1/tools', example)).status).toBe(201)
})

test('R005 no request whatever brings out a fault or a failure of another form', async () => {
  await using t = await openFilledApi()
  const operation = fc.constantFrom(...Object.keys(OPERATIONS))
  const part = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('weather', 'files', 'dev', '.', '%00', '%ff'))
  const value = fc.oneof(fc.json(), fc.string(), fc.constant(undefined))
  const query = fc.webQueryParameters()
  await fc.assert(
    fc.asyncProperty(operation, part, value, query, async (name, part, body, query) => {
      const [method, path] = name.split(' ') as [Method, string]
      const segment = part.startsWith('%') ? part : encodeURIComponent(part.toWellFormed())
      const reply = await t.send(method, `${path.replace(/\{\w+\}/, segment)}?${query}`, body)
      expect(reply.status).toBeLessThan(500)
      if (reply.status >= 400) {
        expect(Object.keys(reply.body as object)).toEqual(['error', 'message', 'details', 'timestamp'])
      }
    }),
    { numRuns: 400 },
  )
  expect(t.lines.filter(({ level }) => level === 'error')).toEqual([])
})
