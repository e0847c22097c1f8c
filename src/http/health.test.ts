import { expect, test } from 'vitest'
import type { HealthSource } from './health-source.ts'
import { addServer, ONLINE, openTestApi } from '../../test/support/test-api.ts'

const UP: HealthSource = {
  version: '9.8.7',
  startedAt: Date.now() - 5000,
  isDraining: () => false,
  sessions: () => 3,
  checkStorage: () => Promise.resolve(),
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
