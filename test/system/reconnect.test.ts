import { afterEach, beforeEach, expect, test } from 'vitest'
import { startFixture, type Fixture } from '../support/fixture/start-fixture.ts'
import { legacyRaw, modernRaw } from '../support/raw-clients.ts'
import { startTestApp, type TestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

type Era = 'legacy' | 'modern'

interface Status {
  readonly status: string
  readonly status_reason: string
  readonly next_retry_at: string | null
}

let cleanup: AsyncDisposableStack
beforeEach(() => {
  cleanup = new AsyncDisposableStack()
})
afterEach(() => cleanup.disposeAsync())

async function startWith(era: Era): Promise<{ gateway: TestApp; fixture: Fixture; restart(): Promise<Fixture> }> {
  const fixture = await startFixture({ era })
  cleanup.use(fixture)
  const gateway = cleanup.use(await startTestApp({ file: { servers: { up: { url: fixture.url, start: 'eager' } } } }))
  await gateway.api.online('up')
  const restart = async () => cleanup.use(await startFixture({ era, port: Number(new URL(fixture.url).port) }))
  return { gateway, fixture, restart }
}

async function status(gateway: TestApp): Promise<Status> {
  return (await gateway.api.send<Status>('GET', 'proxy/servers/up')).body
}

const ERAS: readonly Era[] = ['legacy', 'modern']

test.each(ERAS)('a %s server that restarted between two calls answers the second (R120)', async (era) => {
  const { gateway, fixture, restart } = await startWith(era)
  expect((await gateway.api.execute('up__echo', { message: 'one' })).status).toBe(200)
  await fixture.close()
  await restart()
  const second = await gateway.api.execute('up__echo', { message: 'two' })
  expect(second.text).toContain('two')
  expect(second.status).toBe(200)
})

test.each(ERAS)('a %s server that is away is said to be, is tried again, and is back by itself (R120)', async (era) => {
  const { gateway, fixture, restart } = await startWith(era)
  await fixture.close()
  await until('noticed without a call', async () => (await status(gateway)).status === 'offline')
  const away = await status(gateway)
  expect(away.status_reason).toMatch(/^Nothing listens at this address \(connection refused\); next try at/)
  expect(away.next_retry_at).not.toBeNull()
  const failed = await gateway.api.execute('up__echo', { message: 'x' })
  expect([failed.status, failed.body.error]).toEqual([502, 'upstream_unavailable'])
  expect(failed.body.message).toMatch(/^up: Nothing listens at this address/)
  await using client = modernRaw(gateway.listening.mcp)
  expect(JSON.stringify((await client.call('tools/list')).result)).toContain('up__echo')

  const back = await restart()
  back.state.hasDynamicTool = true
  await gateway.api.online('up')
  await until('what changed meanwhile is listed', async () =>
    JSON.stringify((await client.call('tools/list')).result).includes('up__test_dynamic_tool'),
  )
  expect((await gateway.api.execute('up__echo', { message: 'again' })).text).toContain('again')
})

test('what the operator and the API registered is there after a restart (R120)', async () => {
  const fixture = cleanup.use(await startFixture({ era: 'both' }))
  const file = { servers: { up: { url: fixture.url, start: 'eager' } } }
  const first = await startTestApp({ file })
  const { directory } = first
  cleanup.use(first)
  await first.api.online('up')
  await first.api.send('POST', 'proxy/servers', { name: 'more', url: fixture.url })
  await first.api.online('more')
  await first.app.close()
  await using second = await startTestApp({ file, directory })
  await using client = await legacyRaw(second.listening.mcp)
  const { result: listed } = await client.call('tools/list')
  const names = ((listed?.['tools'] ?? []) as { name: string }[]).map(({ name }) => name)
  expect(names).toContain('up__echo')
  expect(names).toContain('more__echo')
  const { result } = await client.call('tools/call', { name: 'more__echo', arguments: { message: 'still here' } })
  expect(JSON.stringify(result)).toContain('still here')
})
