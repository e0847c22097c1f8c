import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { ValidationError } from '#kernel/errors'
import { addServer, openTestApi, resultOf, type TestApi } from '../../test/support/test-api.ts'

const URL_OF = '/api/v1/tools/files__read/execute'

async function withFiles(overrides = {}): Promise<TestApi> {
  const t = await openTestApi(overrides)
  await addServer(t, 'files', ['read'])
  return t
}

test('R004 the arguments reach the gateway and its result comes back, both to the letter', async () => {
  const result =
    '{"content":[],"structuredContent":{"id":12345678901234567890,"x":1.50,"x2":1e400},"_meta":{"own":null}}'
  await using t = await withFiles({})
  t.deps.gateway.run = (call) => {
    t.calls.push(call)
    return Promise.resolve(resultOf(result))
  }
  const body = '{ "arguments" : {"big": 98765432109876543210, "b":1.0, "a":"\\u00e9\\u0000\\ud800"} }'
  const reply = await t.send('POST', URL_OF, body, { traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01` })
  expect(reply.status).toBe(200)
  expect(reply.text).toContain(`"result":${result},`)
  expect(reply.body).toMatchObject({
    execution_id: t.calls[0]?.id,
    tool_name: 'files__read',
    server: 'files',
    status: 'success',
    is_error: false,
    cached: false,
    execution_time: expect.any(Number),
    executed_by: 'local',
    timestamp: expect.stringMatching(/Z$/),
  })
  expect(t.calls[0]).toMatchObject({
    surface: 'rest',
    kind: 'tool',
    method: 'tools/call',
    name: 'files__read',
    traceId: 'ab'.repeat(16),
    paramsText: `{"name":"files__read","arguments":{"big": 98765432109876543210, "b":1.0, "a":"\\u00e9\\u0000\\ud800"}}`,
    params: { name: 'files__read', arguments: { b: 1 } },
    caller: { sessionKey: 'rest', profile: { capabilities: {} } },
  })
})

test('R004 input_data is another name for arguments, and no arguments are none', async () => {
  await using t = await withFiles()
  await t.send('POST', URL_OF, { input_data: { a: 1 } })
  await t.send('POST', URL_OF, {})
  expect(t.calls.map(({ paramsText }) => paramsText)).toEqual([
    '{"name":"files__read","arguments":{"a":1}}',
    '{"name":"files__read","arguments":{}}',
  ])
})

test('R037 a failure of the tool itself is an answer that says error', async () => {
  await using t = await withFiles({
    gateway: { run: () => Promise.resolve(resultOf('{"content":[{"type":"text","text":"no disk"}],"isError":true}')) },
  })
  expect(await t.send('POST', URL_OF, {})).toMatchObject({
    status: 200,
    body: { status: 'error', is_error: true, result: { isError: true, content: [{ text: 'no disk' }] } },
  })
})

test.each([
  ['arguments that are no object', { arguments: [1] }, 422],
  ['arguments and input_data at once', { arguments: {}, input_data: {} }, 422],
  ['an unknown field', { arguments: {}, args: {} }, 422],
  ['a key twice', '{"arguments":{"path":"a","path":"b"}}', 400],
  ['deep nesting', `{"arguments":{"a":${'['.repeat(300)}${']'.repeat(300)}}}`, 400],
  ['__proto__', '{"arguments":{"__proto__":{"a":1}}}', 400],
])('R037 %s is refused and the gateway sees nothing', async (_what, body, status) => {
  await using t = await withFiles()
  expect((await t.send('POST', URL_OF, body)).status).toBe(status)
  expect(t.calls).toEqual([])
})

test('R037 arguments that the schema refuses are answered with 422', async () => {
  const refusal = new ValidationError('"path" is missing', { path: '/path' })
  await using t = await withFiles({ gateway: { run: () => Promise.reject(refusal) } })
  expect(await t.send('POST', URL_OF, {})).toMatchObject({
    status: 422,
    body: { error: 'validation_error', message: '"path" is missing', details: { path: '/path' } },
  })
})

test('R045 a tool that is not there is left to the gateway, which knows what may be known', async () => {
  await using t = await withFiles()
  await t.send('POST', '/api/v1/tools/no%2Fsuch/execute', {})
  expect(t.calls[0]?.name).toBe('no/such')
})

test('a client that goes away cancels its call', async () => {
  const aborted = Promise.withResolvers<boolean>()
  await using t = await withFiles({
    gateway: {
      run: ({ signal }: { signal: AbortSignal }) =>
        new Promise((_resolve, reject) => {
          request.destroy()
          signal.addEventListener('abort', () => {
            aborted.resolve(true)
            reject(new Error('gone'))
          })
        }),
    },
  })
  const server = createServer((incoming, response) => t.api.handle(incoming, response)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const request = httpRequest({ port, path: URL_OF, method: 'POST', headers: { 'content-type': 'application/json' } })
  request.on('error', () => undefined)
  request.end('{}')
  expect(await aborted.promise).toBe(true)
  server.closeAllConnections()
  server.close()
})

test('a call that ends well is not cancelled afterwards', async () => {
  await using t = await withFiles()
  await t.send('POST', URL_OF, {})
  await new Promise((resolve) => setImmediate(resolve))
  expect(t.calls[0]?.signal.aborted).toBe(false)
})
