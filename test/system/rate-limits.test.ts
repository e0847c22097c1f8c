import type { IncomingHttpHeaders } from 'node:http'
import { expect, test } from 'vitest'
import { legacyRaw } from '../support/raw-clients.ts'
import { startBackend } from '../support/recording-backend.ts'
import { startTestApp } from '../support/test-app.ts'

const NAMES = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'retry-after']
const restLimits = (headers: Headers) => NAMES.map((name) => headers.get(name) ?? undefined)
const mcpLimits = (headers: IncomingHttpHeaders) => NAMES.map((name) => headers[name])

test('calls over REST and MCP are counted together, each answer says what is left, and what is too much reaches no upstream (R164)', async () => {
  await using backend = await startBackend()
  backend.on('/lamp', '{}')
  const file = { tools: { lamp: { endpoint: `${backend.url}/lamp`, description: 'Light' } } }
  await using app = await startTestApp({ file, env: { META_MCP_RATE_LIMIT_CALLS: '6' } })
  // Initialize and what follows it are requests like any other.
  await using client = await legacyRaw(app.listening.mcp)
  const first = await app.api.execute('lamp')
  expect([first.status, ...restLimits(first.headers)]).toEqual([200, '6', '2', undefined])
  const reset = Number(first.headers.get('x-ratelimit-reset')) * 1000 - Date.now()
  expect(reset).toBeGreaterThan(0)
  expect(reset).toBeLessThanOrEqual(61_000)
  const call = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'lamp', arguments: {} } }
  const over = await client.post(call)
  expect([over.status, ...mcpLimits(over.headers)]).toEqual([200, '6', '1', undefined])
  expect((await app.api.send('GET', 'tools/search?q=light')).status).toBe(200)
  const refused = await client.post(call)
  expect([refused.status, ...mcpLimits(refused.headers)]).toEqual([429, '6', '0', expect.stringMatching(/^[1-9]\d?$/)])
  expect(JSON.parse(refused.text)).toMatchObject({ error: { code: -31429, data: { limit: 6 } } })
  const rest = await app.api.execute('lamp')
  expect([rest.status, rest.body]).toMatchObject([429, { error: 'rate_limited', details: { limit: 6 } }])
  expect(rest.headers.get('retry-after')).toBe(
    String((rest.body as unknown as { details: { retry_after: number } }).details.retry_after),
  )
  expect(backend.seen).toHaveLength(2)
  // Another class, and what watches the gateway, are not concerned.
  expect((await app.api.send('GET', 'tools')).status).toBe(200)
  expect((await app.api.send('GET', 'health/ready')).headers.get('x-ratelimit-limit')).toBeNull()
})

test('R270 logins are counted by address, management by principal', async () => {
  const env = { META_MCP_RATE_LIMIT_LOGIN: '2', META_MCP_RATE_LIMIT_MANAGEMENT: '3' }
  await using app = await startTestApp({ env })
  const statuses = async (method: 'GET' | 'POST', path: string, body?: unknown) => {
    const answers = []
    for (let time = 0; time < 4; time += 1) answers.push((await app.api.send(method, path, body)).status)
    return answers
  }
  expect(await statuses('POST', 'auth/refresh', { refresh_token: 'x' })).toEqual([401, 401, 429, 429])
  expect((await app.api.send('POST', 'auth/login', { username: 'a', password: 'b' })).status).toBe(429)
  expect(await statuses('GET', 'proxy/servers')).toEqual([200, 200, 200, 429])
})
