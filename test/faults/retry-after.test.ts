import { describe, expect, test } from 'vitest'
import { startFaulty, type HttpKind } from '../support/sick/faulty-http.ts'
import { startTestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

/** What the faulty server asks for with its 429. */
const ASKED_MS = 1000

async function start(kind: HttpKind, timeoutMs: number) {
  await using cleanup = new AsyncDisposableStack()
  const server = cleanup.use(await startFaulty(kind))
  const isTool = kind === 'http-tool'
  const file = isTool
    ? { tools: { sick: { endpoint: server.url, timeoutMs } } }
    : { servers: { sick: { url: server.url, transport: kind, timeoutMs, start: 'eager' } } }
  const { api } = cleanup.use(await startTestApp({ file }))
  if (!isTool) await api.online('sick')
  server.be(429)
  const kept = cleanup.move()
  const call = () => api.execute(isTool ? 'sick' : 'sick__work')
  return { server, call, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** F8: a server that says when it has time again is not asked before, and its caller hears of it. */
describe.each<HttpKind>(['streamable-http', 'sse', 'http-tool'])(
  'F8 a %s that answers 429 with Retry-After',
  (kind) => {
    test('is asked again when it said, and not before', async () => {
      await using t = await start(kind, 10_000)
      const from = performance.now()
      const call = t.call()
      await until('it was asked', () => t.server.calls === 1)
      t.server.be(undefined)
      const { status, body } = await call
      expect([status, body.is_error, t.server.calls]).toEqual([200, false, 2])
      expect(performance.now() - from).toBeGreaterThanOrEqual(ASKED_MS)
    })

    test('is asked once where the call has no time for that, and the caller is told', async () => {
      await using t = await start(kind, ASKED_MS - 100)
      const from = performance.now()
      const { headers, body, text } = await t.call()
      expect(performance.now() - from).toBeLessThan(ASKED_MS)
      expect(t.server.calls).toBe(1)
      expect(text).toContain('answered HTTP 429 and asks to wait 1 s')
      if (kind === 'http-tool') return expect(body.is_error).toBe(true)
      expect(headers.get('retry-after')).toBe('1')
      expect(body).toMatchObject({ error: 'upstream_unavailable', details: { status: 429, retry_after: 1 } })
    })
  },
)
