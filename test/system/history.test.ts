import { describe, expect, test } from 'vitest'
import type { Execution } from '#gateway/executions'
import { loadConfig } from '#config/load'
import { totalOf } from '../support/durability.ts'
import { sick } from '../support/gateway-child.ts'
import { startBackend } from '../support/recording-backend.ts'
import { openQuietly, durableEngines } from '../support/storage-engines.ts'
import { execution, searchRecord } from '../support/storage-samples.ts'
import { newDirectory, startTestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const DAY_MS = 86_400_000
const SECRET = 'k9Zq-4vXw2Lm7Tb1Yc6Rd8Pf3Hs5Ja0Ne-history'

interface Health {
  readonly components: readonly { readonly name: string; readonly message: string }[]
}

const old = (count: number, change: Partial<Execution>): Execution[] =>
  Array.from({ length: count }, () => execution({ startedAt: Date.now() - 3 * DAY_MS, ...change }))

for (const engine of durableEngines) {
  describe.skipIf(!engine.available)(`the history on ${engine.name}`, () => {
    /** Who restarts a gateway, or leaves it alone for a month, may not find a full disk or statistics that begin anew. */
    test('R053, R054: calls and searches whose time is over are removed, and what they count stays over a restart', async () => {
      await using directory = await newDirectory()
      await using place = await engine.place()
      await using backend = await startBackend()
      const { database } = place
      const url = database.kind === 'sqlite' ? `sqlite:${database.path}` : database.url.reveal()
      const env = { META_MCP_DATABASE_URL: url, META_MCP_SECRET_KEY: SECRET, META_MCP_HISTORY_RETENTION_DAYS: '2' }
      const file = { tools: { good: { endpoint: `${backend.url}/good` } } }
      backend.on('/good', '{}')
      {
        await using gateway = await startTestApp({ directory: directory.path, env, file })
        for (let call = 0; call < 3; call += 1) await gateway.api.execute('good')
        await gateway.api.execute('nobody')
      }
      {
        await using storage = await openQuietly(database)
        await storage.executions.append(old(1200, { name: 'good', server: 'http', outcome: 'error', durationMs: 40 }))
        await storage.search.searches.append([searchRecord({ startedAt: Date.now() - 3 * DAY_MS, principal: 'local' })])
      }
      await using gateway = await startTestApp({ directory: directory.path, env, file })
      await until('the old calls are gone', async () => (await totalOf(gateway, 'executions')) === 4)
      await until('the old search is gone', async () => (await totalOf(gateway, 'searches')) === 0)
      const { api } = gateway
      const { body } = await api.send('GET', 'tools/good/stats')
      expect(body).toMatchObject({ calls: 1203, successes: 3, errors: 1200, p50_ms: 40 })
      expect((await api.send('GET', 'tools/good/stats?days=2')).body).toMatchObject({ calls: 3, success_rate: 1 })
      await until('the health page tells', async () => {
        const { components } = (await api.send<Health>('GET', 'health/detailed')).body
        const { message } = components.find(({ name }) => name === 'history') ?? {}
        return message === 'Calls and searches are kept for 2 days, 1201 were removed since the start'
      })
    })
  })
}

test('R054: a server’s statistics are those of all its calls; what is no server, or no period, is refused', async () => {
  await using gateway = await startTestApp({ file: { servers: { healthy: sick('healthy') } } })
  const { api } = gateway
  await api.online('healthy')
  const url = 'proxy/servers/healthy/stats'
  const nothing = {
    name: 'healthy',
    calls: 0,
    success_rate: null,
    average_ms: null,
    p99_ms: null,
    last_called_at: null,
  }
  expect((await api.send('GET', url)).body).toMatchObject(nothing)
  await api.execute('healthy__echo', { said: 'x' })
  await api.execute('healthy__slow', { ms: 30 })
  await api.execute('healthy__none')
  await until('both count', async () => (await api.send('GET', url)).body['calls'] === 2)
  const { body } = await api.send('GET', `${url}?days=1`)
  expect(body).toMatchObject({ server_id: expect.any(String) as string, successes: 2, errors: 0, success_rate: 1 })
  expect(body['p99_ms']).toBeGreaterThanOrEqual(30)
  expect((await api.send('GET', 'proxy/servers/none/stats')).status).toBe(404)
  expect((await api.send('GET', `${url}?days=0`)).status).toBe(422)
})

test('the history is kept as long as an operator says, and what is no number of days stops the start', () => {
  const { history } = loadConfig({ env: {} })
  expect(history).toMatchObject({ days: 30, statisticsDays: 400 })
  expect(() => loadConfig({ env: { META_MCP_HISTORY_RETENTION_DAYS: '-1' } })).toThrow(/whole number/)
})
