import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startFixture } from '../support/fixture/start-fixture.ts'
import { rawHttp } from '../support/raw-http.ts'
import { legacyRaw, modernRaw } from '../support/raw-clients.ts'
import { startTestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const FIXTURE = join(import.meta.dirname, '../support/fixture/main.ts')
const stdio = { command: process.execPath, args: [FIXTURE, '--transport', 'stdio', '--era', 'legacy'], start: 'eager' }

const unhandled: unknown[] = []
const note = (reason: unknown): void => void unhandled.push(reason)
beforeAll(() => void process.on('unhandledRejection', note))
afterAll(() => {
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})

const KINDS = new Set(['Timeout', 'ProcessWrap', 'PipeWrap', 'TCPServerWrap', 'TCPSocketWrap', 'FSEventWrap'])

/** What keeps this process busy, by kind: timers, sockets, children. */
function active(): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) if (KINDS.has(kind)) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

function isNoMore(now: Record<string, number>, before: Record<string, number>): boolean {
  return Object.entries(now).every(([kind, count]) => count <= (before[kind] ?? 0))
}

test('a gateway that was closed leaves no timer, socket, pipe, child or watcher', async () => {
  await using http = await startFixture({ era: 'both' })
  const before = active()
  {
    const servers = {
      http: { url: http.url, start: 'eager' },
      pipe: stdio,
      never: { ...stdio, share: 'never' },
      none: { command: 'no-such-command' },
    }
    await using gateway = await startTestApp({ file: { servers } })
    await gateway.api.online('http', 'pipe', 'never')
    const clients = await Promise.all(
      Array.from({ length: 20 }, () =>
        legacyRaw(gateway.listening.mcp, { capabilities: { roots: {} }, answer: () => ({ roots: [] }) }),
      ),
    )
    const names = ['http__echo', 'pipe__echo', 'never__echo']
    await Promise.all(
      clients.map((client, n) => client.call('tools/call', { name: names[n % 3], arguments: { message: 'x' } })),
    )
    const cut = new AbortController()
    const long = clients[0]?.call(
      'tools/call',
      { name: 'pipe__slow', arguments: { ms: 60_000 } },
      { signal: cut.signal },
    )
    await gateway.api.send('POST', 'proxy/servers/pipe/restart')
    cut.abort()
    await long?.catch(() => undefined)
    for (const client of clients) await client[Symbol.asyncDispose]()
  }
  expect(active()['Timeout'] ?? 0, 'timers at once').toBeLessThanOrEqual(before['Timeout'] ?? 0)
  // Our own clients still have to notice that their connections have ended.
  await until(
    `active ${JSON.stringify(active())}, before ${JSON.stringify(before)}`,
    () => isNoMore(active(), before),
    1000,
  )
})

test('a modern client that listens and goes away leaves no subscription at the server', async () => {
  await using up = await startFixture({ era: 'legacy' })
  await using gateway = await startTestApp({ file: { servers: { up: { url: up.url, start: 'eager' } } } })
  await gateway.api.online('up')
  const uri = 'test://static-text'
  for (let n = 0; n < 3; n += 1) {
    await using client = modernRaw(gateway.listening.mcp)
    const heard = Promise.withResolvers<void>()
    const notifications = { resourceSubscriptions: [uri], toolsListChanged: true }
    client.send('subscriptions/listen', { notifications }, { onEvent: () => heard.resolve() }).catch(() => undefined)
    await heard.promise
  }
  await until('unsubscribed as often as subscribed', () => {
    const { methods } = up.state
    return methods['resources/subscribe'] === 3 && methods['resources/unsubscribe'] === 3
  })
})

test('modern clients that give their roots leave no session of a pipe behind them', async () => {
  await using gateway = await startTestApp({ file: { servers: { pipe: stdio } } })
  await gateway.api.online('pipe')
  const roots = { roots: [{ uri: 'file:///mine', name: 'mine' }] }
  for (let n = 0; n < 12; n += 1) {
    await using client = modernRaw(gateway.listening.mcp, { capabilities: { roots: {} }, answer: () => roots })
    const said = await client.call('tools/call', { name: 'pipe__test_input_required_result_list_roots', arguments: {} })
    expect(JSON.stringify(said), `call ${n}`).toContain('mine')
  }
  await until('one session', async () => {
    const { body } = await gateway.api.send<{ sessions: number; status: string }>('GET', 'proxy/servers/pipe')
    return body.status === 'online' && body.sessions === 1
  })
})

test('an answer is not lost when the gateway closes in the moment it is made', async () => {
  await using up = await startFixture({ era: 'both' })
  const gateway = await startTestApp({ file: { servers: { up: { url: up.url, start: 'eager' } } } })
  await using _gateway = gateway
  await gateway.api.online('up')
  await using http = rawHttp()
  const execute = (bytes: number) =>
    http.send(`${gateway.listening.url}/api/v1/tools/up__big/execute`, 'POST', JSON.stringify({ arguments: { bytes } }))
  const calls = [execute(30_000_000), execute(10)]
  await until('all have begun', () => (up.state.calls['big'] ?? 0) === 2)
  await gateway.app.close()
  expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200])
})
