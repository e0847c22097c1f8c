import { request as httpRequest, createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { AppError, UpstreamRpcError } from '#kernel/errors'
import { ERROR_CODES, type ErrorCode } from '#kernel/error-codes'
import { addServer, openTestApi, type Reply } from '../../test/support/test-api.ts'

const UTC_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/

function expectProblem(reply: Reply, status: number, code: ErrorCode): void {
  expect({ status: reply.status, body: reply.body }).toEqual({
    status,
    body: {
      error: code,
      message: expect.stringMatching(/./),
      details: expect.any(Object),
      timestamp: expect.stringMatching(UTC_TIME),
    },
  })
  expect(reply.headers['x-request-id']).toMatch(/^[\x21-\x7e]{1,128}$/)
  expect(reply.headers['content-type']).toBe('application/json; charset=utf-8')
  expect(reply.text).not.toMatch(/node_modules|\/work|\.ts:\d|at async|FST_|SQLITE|Error:/)
}

const REFUSED = [
  ['an address that does not exist', 'GET', '/api/v1/nothing', undefined, 404, 'not_found'],
  ['a post to an address that does not exist', 'POST', '/api/v1/nothing', 'no json', 404, 'not_found'],
  ['an address with a part that is too long', 'GET', `/api/v1/tools/${'x'.repeat(5000)}`, undefined, 404, 'not_found'],
  ['a name that is too long', 'GET', `/api/v1/tools/${'x'.repeat(513)}`, undefined, 422, 'validation_error'],
  ['an address that is not UTF-8', 'GET', '/api/v1/tools/%ff', undefined, 400, 'invalid_request'],
  ['a method that the address does not take', 'PATCH', '/api/v1/tools', {}, 405, 'method_not_allowed'],
  ['a body that is no JSON', 'POST', '/api/v1/tools', '{"name":', 400, 'parse_error'],
  ['an unknown field', 'PUT', '/api/v1/admin/log-level', { level: 'INFO', more: 1 }, 422, 'validation_error'],
  ['an unknown query', 'GET', '/api/v1/tools?colour=red', undefined, 422, 'validation_error'],
  ['a limit out of range', 'GET', '/api/v1/tools?limit=1001', undefined, 422, 'validation_error'],
  ['no body at all', 'POST', '/api/v1/tools', undefined, 422, 'validation_error'],
  ['a body that is no object', 'POST', '/api/v1/tools', [], 422, 'validation_error'],
] as const

test.each(REFUSED)('R191 %s is refused with a problem body', async (...[, method, url, body, status, code]) => {
  await using t = await openTestApi()
  expectProblem(await t.send(method, url, body), status, code)
  expectProblem(await t.send(method, url.replace(/(\?|$)/, '/$1'), body), status, code)
})

test('R191 another content type is refused with 415, compressed bodies too', async () => {
  await using t = await openTestApi()
  for (const headers of [
    { 'content-type': 'text/plain' },
    { 'content-type': 'nonsense' },
    { 'content-encoding': 'gzip' },
  ]) {
    const reply = await t.send('PUT', '/api/v1/admin/log-level', { level: 'INFO' }, headers)
    expectProblem(reply, 415, 'unsupported_media_type')
  }
})

test('R191 a body that is too large is refused with 413', async () => {
  await using t = await openTestApi({ bodyBytesMax: 1000 })
  expectProblem(await t.send('POST', '/api/v1/tools', { name: 'x'.repeat(1000) }), 413, 'payload_too_large')
})

test('R191 405 names the methods that the address takes', async () => {
  await using t = await openTestApi()
  expect((await t.send('DELETE', '/api/v1/tools')).headers['allow']).toBe('GET, HEAD, POST')
  expect((await t.send('POST', '/api/v1/tools/a%2Fb')).headers['allow']).toBe('GET, HEAD, PUT, DELETE')
  expect((await t.send('OPTIONS', '/api/v1/health/')).headers['allow']).toBe('GET, HEAD')
})

test.each(Object.entries(ERROR_CODES))('R190 R191 %s becomes its status over HTTP', async (code, { status }) => {
  const gateway = { run: () => Promise.reject(new AppError(code as ErrorCode, 'It did not work')) }
  await using t = await openTestApi({ gateway })
  const reply = await t.send('POST', '/api/v1/tools/any/execute', {})
  expectProblem(reply, status, code as ErrorCode)
  expect('retry-after' in reply.headers).toBe(status === 429 || status === 503)
  expect('www-authenticate' in reply.headers).toBe(status === 401)
})

test('R191 a fault of ours says nothing of itself to the caller and everything to the log', async () => {
  const gateway = { run: () => Promise.reject(new TypeError('secret at /work/file.ts:1')) }
  await using t = await openTestApi({ gateway })
  const reply = await t.send('POST', '/api/v1/tools/any/execute', {}, { 'x-request-id': 'mine-1' })
  expectProblem(reply, 500, 'internal_error')
  expect(reply.text).not.toContain('secret')
  const line = t.lines.find(({ level }) => level === 'error')
  expect(line?.fields).toMatchObject({
    request_id: 'mine-1',
    err: expect.objectContaining({ message: expect.any(String) }),
  })
})

test('R037 an upstream error comes with its server, code and data', async () => {
  const text = '{"code":-32042,"message":"No such city","data":{"city":"Atlantis"}}'
  const gateway = {
    run: () => Promise.reject(new UpstreamRpcError('weather', { code: -32042, message: 'No such city', text })),
  }
  await using t = await openTestApi({ gateway })
  const reply = await t.send('POST', '/api/v1/tools/any/execute', {})
  expectProblem(reply, 502, 'tool_execution_error')
  expect(reply.body).toMatchObject({
    message: 'No such city',
    details: { server: 'weather', rpc_code: -32042, data: { city: 'Atlantis' } },
  })
})

test('R191 503 waits as long as the failure says', async () => {
  const failure = new AppError('circuit_breaker_open', 'It rests', { details: { retry_after: 41.2 } })
  await using t = await openTestApi({ gateway: { run: () => Promise.reject(failure) } })
  expect((await t.send('POST', '/api/v1/tools/any/execute', {})).headers['retry-after']).toBe('42')
})

test('a sane request id of the caller is kept, any other is replaced', async () => {
  await using t = await openTestApi()
  const idFor = async (id: string) =>
    (await t.send('GET', '/api/v1/health', undefined, { 'x-request-id': id })).headers['x-request-id']
  expect(await idFor('trace-7.1')).toBe('trace-7.1')
  for (const insane of ['has blank', 'x'.repeat(129), 'é', '']) expect(await idFor(insane)).toMatch(/^[0-9a-f-]{36}$/)
})

test('each request leaves one line with its id, route and status, never its address', async () => {
  await using t = await openTestApi()
  await addServer(t, 'files', ['read'])
  await t.send('GET', '/api/v1/tools/files__read?token=hidden', undefined, { 'x-request-id': 'one' })
  await t.send('GET', '/api/v1/tools/%ff', undefined, { 'x-request-id': 'two' })
  const lines = t.lines.filter(({ phrase }) => phrase === 'request').map(({ fields }) => fields)
  expect(lines).toEqual([
    { request_id: 'one', method: 'GET', route: '/api/v1/tools/:name', status: 200, ms: expect.any(Number) },
    { request_id: 'two', method: 'GET', route: null, status: 400, ms: expect.any(Number) },
  ])
  expect(JSON.stringify(t.lines)).not.toContain('hidden')
})

function hostGuard({ headers }: IncomingMessage): AppError | undefined {
  return headers.host === 'evil.example' ? new AppError('forbidden', 'This host is not served') : undefined
}

test('a host that is refused gets no further, whatever it asks for', async () => {
  await using t = await openTestApi({ hostGuard })
  for (const url of ['/', '/docs', '/docs/static/swagger-ui.css', '/api/v1/health', '/openapi.json', '/nowhere']) {
    expectProblem(await t.send('GET', url, undefined, { host: 'evil.example' }), 403, 'forbidden')
  }
  expect((await t.send('GET', '/docs', undefined, { host: '127.0.0.1:8000' })).status).toBe(200)
})

test('R191 the same over a socket of a server that somebody else owns', async () => {
  await using t = await openTestApi({ bodyBytesMax: 1000 })
  const server = createServer((request, response) => t.api.handle(request, response)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const status = await new Promise((resolve) => {
    const request = httpRequest({ port, method: 'PROPFIND', path: '/api/v1/tools' }, (response) => {
      resolve([response.statusCode, response.headers['allow'], response.headers['x-request-id'] !== undefined])
      response.resume()
    })
    request.end()
  })
  expect(status).toEqual([405, 'GET, HEAD, POST', true])
  const large = await fetch(`http://127.0.0.1:${port}/api/v1/tools`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: 'x'.repeat(2000),
  })
  expect([large.status, await large.json()]).toEqual([413, expect.objectContaining({ error: 'payload_too_large' })])
  server.closeAllConnections()
  server.close()
})
