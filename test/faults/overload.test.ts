import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { startBackend } from '../support/recording-backend.ts'
import { startFaulty } from '../support/sick/faulty-http.ts'
import { startTestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const OBJECT = { type: 'object' }

test('D8: at five times what a server can do, who is too many hears 503 at once, and who is let in is served', async () => {
  await using server = await startFaulty('streamable-http')
  const limits = { maxConcurrency: 4, timeoutMs: 2000 }
  await using gateway = await startTestApp({
    file: { servers: { busy: { url: server.url, ...limits, start: 'eager' } } },
  })
  await gateway.api.online('busy')
  server.be('slowly')
  const timed = async () => {
    const startedAt = performance.now()
    const { status, headers, body } = await gateway.api.execute('busy__work')
    return { status, ms: performance.now() - startedAt, retryAfter: headers.get('retry-after'), code: body.error }
  }
  // 4 at once, 100 ms each: 40 a second. 600 come in three, a wave each 100 ms.
  const calls: ReturnType<typeof timed>[] = []
  for (let wave = 0; wave < 30; wave += 1) {
    for (let n = 0; n < 20; n += 1) calls.push(timed())
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const replies = await Promise.all(calls)
  const served = replies.filter(({ status }) => status === 200)
  const refused = replies.filter(({ status }) => status === 503)
  const slowest = (some: typeof replies) => Math.round(Math.max(0, ...some.map(({ ms }) => ms)))
  console.log(
    `600 calls: ${served.length} served (slowest ${slowest(served)} ms), ${refused.length} refused (slowest ${slowest(refused)} ms), ${600 - served.length - refused.length} waited in vain`,
  )
  expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['overloaded']))
  expect(refused.every(({ retryAfter }) => Number(retryAfter) >= 1)).toBe(true)
  expect(served.length).toBeGreaterThan(30)
  expect(refused.length, 'most are too many').toBeGreaterThan(300)
  expect(server.calls + refused.length, 'nobody who was refused reached it').toBeLessThanOrEqual(600)
  server.be(undefined)
  expect((await gateway.api.execute('busy__work')).status).toBe(200)
})

test('R080: a breaker that opens empties the queue at once, although the other places are taken by calls that hang', async () => {
  await using backend = await startBackend()
  const tool = { endpoint: `${backend.url}/a`, inputSchema: OBJECT, timeoutMs: 20_000, breaker: { failures: 1 } }
  await using gateway = await startTestApp({ file: { tools: { a: tool } } })
  const held: ServerResponse[] = []
  backend.on('/a', (response) => void held.push(response))
  const places = 64
  const calls = Array.from({ length: places + 50 }, () => gateway.api.execute('a'))
  const counts = { refused: 0 }
  for (const call of calls) void call.then(({ status }) => void (counts.refused += status === 503 ? 1 : 0))
  await until('every place taken', () => held.length === places)
  held.pop()?.writeHead(500).end()
  await until('the queue is empty', () => counts.refused === 50)
  expect(held, 'nobody else reached it').toHaveLength(places - 1)
  for (const response of held) response.writeHead(200).end('{}')
  await Promise.all(calls)
})
