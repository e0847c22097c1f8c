import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { sick } from '../support/gateway-child.ts'
import { legacyRaw, modernRaw } from '../support/raw-clients.ts'
import { hasPrometheus } from '../support/prometheus.ts'
import { DEAD_URL, startBackend } from '../support/recording-backend.ts'
import { scrape, type Scrape } from '../support/scrape.ts'
import { startTestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

test('every call is counted once: by server, surface, kind and outcome, failures by their code (R054, R240)', async () => {
  await using backend = await startBackend()
  backend.on('/good', '{"a":1}')
  await using app = await startTestApp({
    file: {
      servers: { healthy: sick('healthy') },
      tools: {
        good: { endpoint: `${backend.url}/good` },
        bad: { endpoint: `${backend.url}/bad` },
        dead: { endpoint: DEAD_URL },
      },
    },
  })
  await app.api.online('healthy')
  await using modern = modernRaw(app.listening.mcp)
  for (const name of ['good', 'good', 'bad', 'dead', 'nobody']) await app.api.execute(name)
  await modern.call('tools/call', { name: 'healthy__echo', arguments: { said: 'x' } })
  const { sum } = await scrape(app.listening.url)
  const calls = (labels: Record<string, string>) => sum('metamcp_calls_total', labels)
  expect(calls({})).toBe(6)
  expect(calls({ server: 'http', surface: 'rest', kind: 'tool', outcome: 'success' })).toBe(2)
  expect(calls({ server: 'http', outcome: 'tool_error' }), 'the API said so itself').toBe(1)
  expect(calls({ server: 'http', outcome: 'error' })).toBe(1)
  expect(calls({ server: '', outcome: 'error' }), 'no such tool').toBe(1)
  expect(calls({ server: 'healthy', surface: 'mcp', kind: 'tool', outcome: 'success' })).toBe(1)
  expect(sum('metamcp_call_errors_total', { server: 'http', code: 'upstream_unavailable' })).toBe(1)
  expect(sum('metamcp_call_errors_total', { server: '', code: 'tool_not_found' })).toBe(1)
  expect(sum('metamcp_call_duration_seconds_count', { server: 'http' })).toBe(4)
  expect(sum('metamcp_call_duration_seconds_bucket', { server: 'http', le: '+Inf' })).toBe(4)
})

/** Names that callers make up are theirs to make: labels would be a memory leak with their name on it. */
test('a thousand made-up tool names make no new series (D11)', async () => {
  await using app = await startTestApp()
  await app.api.execute('nobody')
  await using modern = modernRaw(app.listening.mcp)
  await modern.call('tools/call', { name: 'nobody' })
  const before = seriesOf(await scrape(app.listening.url))
  const names = Array.from({ length: 1000 }, (_, index) => `made_up_${index}`)
  await Promise.all(
    names.map((name, index) => (index % 2 === 0 ? app.api.execute(name) : modern.call('tools/call', { name }))),
  )
  const after = await scrape(app.listening.url)
  expect(after.sum('metamcp_calls_total')).toBe(1002)
  expect(after.text).not.toContain('made_up')
  expect(seriesOf(after)).toEqual(before)
})

/** Ours: what Node tells of its handles comes and goes. */
function seriesOf({ samples }: Scrape): string[] {
  return samples
    .filter(({ name }) => name.startsWith('metamcp_'))
    .map(({ name, labels }) => `${name}${JSON.stringify(labels)}`)
}

test('what runs and what waits shows while it does; the histogram knows how long it took', async () => {
  await using app = await startTestApp({ file: { servers: { healthy: { ...sick('healthy'), maxConcurrency: 1 } } } })
  await app.api.online('healthy')
  const calls = [1, 2, 3].map(() => app.api.execute('healthy__slow', { ms: 300 }))
  await until('one runs and two wait', async () => {
    const { sum } = await scrape(app.listening.url)
    const at = (name: string) => sum(name, { server: 'healthy' })
    return at('metamcp_upstream_calls_running') === 1 && at('metamcp_upstream_calls_waiting') === 2
  })
  expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200, 200])
  const { sum } = await scrape(app.listening.url)
  expect(sum('metamcp_calls_running')).toBe(0)
  expect(sum('metamcp_upstream_calls_waiting', { server: 'healthy' })).toBe(0)
  expect(sum('metamcp_call_duration_seconds_bucket', { server: 'healthy', le: '0.1' })).toBe(0)
  expect(sum('metamcp_call_duration_seconds_sum', { server: 'healthy' })).toBeGreaterThanOrEqual(1.7)
})

test('servers, their children and sessions, clients and catalog show as they are now', async () => {
  await using app = await startTestApp({
    file: { servers: { healthy: sick('healthy'), gone: { command: '/nowhere' } } },
  })
  await app.api.online('healthy')
  await until('the other is given up', async () => {
    const { sum } = await scrape(app.listening.url)
    return sum('metamcp_upstream_state', { server: 'gone', state: 'offline' }) === 1
  })
  await using _client = await legacyRaw(app.listening.mcp)
  const { sum } = await scrape(app.listening.url)
  expect(sum('metamcp_upstream_up', { server: 'healthy' })).toBe(1)
  expect(sum('metamcp_upstream_up', { server: 'gone' })).toBe(0)
  expect(sum('metamcp_upstream_state', { server: 'healthy' }), 'one state at a time').toBe(1)
  expect(sum('metamcp_upstream_children')).toBe(1)
  expect(sum('metamcp_upstream_sessions', { server: 'healthy' })).toBe(1)
  expect(sum('metamcp_sessions')).toBe(1)
  expect(sum('metamcp_catalog_entries', { kind: 'tool' })).toBe(3)
  expect(sum('metamcp_catalog_revision')).toBeGreaterThan(0)
})

test('searches are counted by mode and by whether they found something', async () => {
  await using app = await startTestApp({
    file: { servers: { healthy: sick('healthy') } },
    env: { META_MCP_SEARCH_EMBEDDER: 'static' },
  })
  await app.api.online('healthy')
  const search = (query: string) => app.api.send('POST', 'tools/search', { query, search_type: 'keyword' })
  await search('echo')
  await search('echo')
  await search('zzzzqqqq')
  const { sum } = await scrape(app.listening.url)
  const searches = (outcome: string) => sum('metamcp_searches_total', { mode: 'keyword', outcome })
  expect([searches('found'), searches('nothing_found'), searches('failed')]).toEqual([2, 1, 0])
  expect(sum('metamcp_search_cached_total', { mode: 'keyword' })).toBe(1)
  expect(sum('metamcp_search_duration_seconds_count', { mode: 'keyword' })).toBe(3)
})

test('the process itself shows: memory, CPU, descriptors, event loop', async () => {
  await using app = await startTestApp()
  const { sum } = await scrape(app.listening.url)
  for (const name of ['process_resident_memory_bytes', 'process_cpu_seconds_total', 'process_open_fds']) {
    expect(sum(name), name).toBeGreaterThan(0)
  }
  expect(sum('nodejs_eventloop_lag_p99_seconds')).toBeDefined()
  expect(sum('metamcp_build_info')).toBe(1)
})

test.skipIf(!hasPrometheus())('promtool finds nothing wrong with /metrics (R240)', async () => {
  await using app = await startTestApp({ file: { servers: { healthy: sick('healthy') } } })
  await app.api.online('healthy')
  await app.api.execute('healthy__echo', { said: 'x' })
  const { text } = await scrape(app.listening.url)
  const ours = text
    .split(/(?=^# HELP )/m)
    .filter((family) => family.startsWith('# HELP metamcp_'))
    .join('')
  const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: ours, encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
  expect(ours.length).toBeGreaterThan(1000)
})
