import { expect, test } from 'vitest'
import type { HealthSource } from './health-source.ts'
import { sharedProbe } from './shared-probe.ts'
import { addServer, ONLINE, openTestApi } from '../../test/support/test-api.ts'

const UP: HealthSource = {
  version: '9.8.7',
  startedAt: Date.now() - 5000,
  isDraining: () => false,
  sessions: () => 3,
  checkStorage: () => Promise.resolve(),
  history: () => ({ days: 30, removed: 0, failure: undefined }),
  freeSpace: () => Promise.resolve({ freeBytes: 5e9, totalBytes: 1e10 }),
  workload: { running: 0, queues: () => [], unwritten: () => 0 },
}
const DOWN: HealthSource = { ...UP, checkStorage: () => Promise.reject(new Error('SQLITE_IOERR at /var/secret')) }
const DRAINING: HealthSource = { ...UP, isDraining: () => true }

test('R039 health says that it works, for how long and in which version', async () => {
  await using t = await openTestApi({ health: UP })
  expect(await t.send('GET', '/api/v1/health/')).toMatchObject({
    status: 200,
    body: { healthy: true, status: 'healthy', version: '9.8.7', timestamp: expect.stringMatching(/Z$/) },
  })
  const { uptime } = (await t.send('GET', '/api/v1/health')).body as { uptime: number }
  expect(uptime).toBeGreaterThanOrEqual(5)
  expect(uptime).toBeLessThan(60)
})

test.each([
  ['storage that is down', DOWN, 'unhealthy'],
  ['draining', DRAINING, 'draining'],
])('R039 R041 R042 %s shows in health and readiness, never in liveness', async (_what, health, status) => {
  await using t = await openTestApi({ health })
  expect(await t.send('GET', '/api/v1/health')).toMatchObject({ status: 200, body: { healthy: false, status } })
  const ready = await t.send('GET', '/api/v1/health/ready')
  expect(ready).toMatchObject({ status: 503, body: { error: 'unavailable' }, headers: { 'retry-after': '1' } })
  expect(ready.text).not.toMatch(/SQLITE|secret/)
  expect(await t.send('GET', '/api/v1/health/live')).toMatchObject({ status: 200, body: { status: 'alive' } })
})

test('R041 a gateway that works is ready', async () => {
  await using t = await openTestApi()
  expect(await t.send('GET', '/api/v1/health/ready')).toMatchObject({ status: 200, body: { status: 'ready' } })
})

test('R041 without Redis the gateway takes work, says that something is missing, and what', async () => {
  await using t = await openTestApi({ health: { ...UP, redisIsUp: () => false } })
  const reason = expect.stringContaining('Redis is away')
  expect(await t.send('GET', '/api/v1/health/ready')).toMatchObject({
    status: 200,
    body: { status: 'degraded', reason },
  })
  expect((await t.send('GET', '/api/v1/health/detailed')).body).toMatchObject({
    overall_healthy: false,
    components: expect.arrayContaining([
      { name: 'redis', kind: 'redis', healthy: false, status: 'offline', message: reason },
    ]),
  })
})

test('R041 storage that never answers is down', async () => {
  await using t = await openTestApi({ health: { ...UP, checkStorage: () => new Promise(() => undefined) } })
  expect((await t.send('GET', '/api/v1/health/ready')).status).toBe(503)
})

test('R040 a server that is down is unhealthy and nothing else is', async () => {
  let dead = ''
  const status = (id: string) => (id === dead ? { ...ONLINE, state: 'offline' as const, reason: 'It ended' } : ONLINE)
  await using t = await openTestApi({ upstreams: { status, logs: () => [], restart: () => Promise.resolve() } })
  await addServer(t, 'files', ['read'])
  expect((await t.send('GET', '/api/v1/health/detailed')).body).toMatchObject({ overall_healthy: true })
  dead = (await addServer(t, 'dead', [])).id
  expect((await t.send('GET', '/api/v1/health/detailed')).body).toMatchObject({
    overall_healthy: false,
    components: [
      { name: 'storage', healthy: true },
      { name: 'disk', healthy: true, message: '5.0 of 10.0 GB free' },
      { name: 'queue', healthy: true },
      { name: 'history', healthy: true },
      { name: 'catalog', healthy: true },
      { name: 'sessions', healthy: true },
      { name: 'search', healthy: true },
      { name: 'circuit-breakers', kind: 'breakers', healthy: true },
      { name: 'files', kind: 'server', healthy: true, status: 'online' },
      { name: 'dead', kind: 'server', healthy: false, status: 'offline', message: 'It ended' },
    ],
  })
})

test('R040 storage that is down is unhealthy and nothing else is', async () => {
  await using t = await openTestApi({ health: DOWN })
  await addServer(t, 'files', [])
  const { body } = await t.send('GET', '/api/v1/health/detailed')
  const unhealthy = (body as { components: { name: string; healthy: boolean }[] }).components.filter(
    (each) => !each.healthy,
  )
  expect(unhealthy.map(({ name }) => name)).toEqual(['storage'])
})

test('the log level changes at run time', async () => {
  await using t = await openTestApi()
  const url = '/api/v1/admin/log-level'
  expect((await t.send('GET', url)).body).toEqual({ level: 'INFO' })
  expect((await t.send('PUT', url, { level: 'DEBUG' })).body).toEqual({ level: 'DEBUG' })
  expect((await t.send('GET', url)).body).toEqual({ level: 'DEBUG' })
  expect((await t.send('PUT', url, { level: 'LOUD' })).status).toBe(422)
})

/** Each shows itself, and only itself. */
test.each([
  [
    'a disk that is nearly full',
    { freeSpace: () => Promise.resolve({ freeBytes: 9e7, totalBytes: 1e10 }) },
    'disk',
    'degraded',
  ],
  [
    'a data directory that is gone',
    { freeSpace: () => Promise.reject(new Error('ENOENT /secret')) },
    'disk',
    'offline',
  ],
  [
    'old calls that cannot be removed',
    { history: () => ({ days: 30, removed: 0, failure: 'The storage does not answer' }) },
    'history',
    'degraded',
  ],
  ['a history that falls behind', { workload: { ...UP.workload, unwritten: () => 9000 } }, 'queue', 'degraded'],
])('R040 R179 %s is unhealthy and nothing else is', async (_what, more, name, status) => {
  await using t = await openTestApi({ health: { ...UP, ...more } })
  const { text, body } = await t.send('GET', '/api/v1/health/detailed')
  const { components } = body as { components: { name: string; healthy: boolean; status: string }[] }
  expect(components.filter(({ healthy }) => !healthy)).toMatchObject([{ name, status }])
  expect(text).not.toContain('secret')
})

const queues = () => [
  { server: 'a', waiting: 2 },
  { server: 'b', waiting: 3 },
]

test('the queue says how many calls run and wait', async () => {
  await using t = await openTestApi({ health: { ...UP, workload: { running: 7, queues, unwritten: () => 11 } } })
  const { text } = await t.send('GET', '/api/v1/health/detailed')
  expect(text).toContain('7 calls run, 5 wait for their server, 11 are not in the history yet')
})

/** Health is open to everybody: a crowd that asks must not become a crowd at the database. */
test('a thousand questions at once are one question to the database, and the next moment is another', async () => {
  let asked = 0
  let at = 1000
  const probe = sharedProbe(
    () => {
      asked += 1
      return asked < 3 ? Promise.resolve() : new Promise(() => undefined)
    },
    () => at,
  )
  await Promise.all(Array.from({ length: 1000 }, probe))
  at += 200
  await probe()
  expect(asked, 'what was found a moment ago').toBe(1)
  at += 300
  await probe()
  expect(asked).toBe(2)
  at += 300
  void probe()
  at += 300
  void probe()
  expect(asked, 'still waiting').toBe(3)
  at += 1500
  void probe()
  expect(asked, 'silence is not waited for twice').toBe(4)
})
