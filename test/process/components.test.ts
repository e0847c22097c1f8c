import { describe, expect, test } from 'vitest'
import { readiness } from '../support/durability.ts'
import { startFixture } from '../support/fixture/start-fixture.ts'
import { sick, startGatewayChild, type GatewayChild } from '../support/gateway-child.ts'
import { findPostgres, startCluster } from '../support/postgres-cluster.ts'
import { legacyRaw } from '../support/raw-clients.ts'
import { newDirectory } from '../support/test-app.ts'
import { until } from '../support/until.ts'

interface Component {
  readonly name: string
  readonly kind: string
  readonly healthy: boolean
  readonly status: string
}

interface Detailed {
  readonly uptime: number
  readonly overall_healthy: boolean
  readonly components: readonly Component[]
}

async function detailed({ api }: GatewayChild): Promise<Detailed> {
  return (await api.send<Detailed>('GET', 'health/detailed')).body
}

async function component(gateway: GatewayChild, name: string): Promise<Component | undefined> {
  return (await detailed(gateway)).components.find((each) => each.name === name)
}

/** Milliseconds until it holds; figures are told, and asserted with room for a busy machine. */
async function took(what: string, holds: () => Promise<boolean>): Promise<number> {
  const since = performance.now()
  await until(what, holds)
  const ms = Math.round(performance.now() - since)
  console.log(`${what}: ${ms} ms`)
  return ms
}

const SOON_MS = 2000
const BUSY_FACTOR = 3

describe.skipIf(!findPostgres())('F14 a PostgreSQL that dies', () => {
  test('turns readiness and nothing else, says 503 where it is needed, costs no call and no row, and comes back without a restart (R179, R180, R181)', async () => {
    const cluster = await startCluster()
    await using _closed = { [Symbol.asyncDispose]: cluster.close }
    await using place = await newDirectory()
    await using gateway = await startGatewayChild({
      directory: place.path,
      file: { servers: { healthy: sick('healthy') } },
      env: { META_MCP_DATABASE_URL: cluster.url },
    })
    await using strictPlace = await newDirectory()
    await using strict = await startGatewayChild({
      directory: strictPlace.path,
      file: { servers: { healthy: sick('healthy') } },
      env: { META_MCP_DATABASE_URL: cluster.url, META_MCP_AUDIT_UNAVAILABLE: 'block' },
    })
    await gateway.api.online('healthy')
    await using client = await legacyRaw(gateway.mcp)
    const echo = async (id: number) =>
      (await client.call('tools/call', { name: 'healthy__echo', arguments: { said: `call ${id}` } }, { id })).result
    expect(await echo(1)).toMatchObject({ content: [{ text: 'call 1' }] })
    expect(await readiness(gateway)).toBe(200)

    await cluster.crash()
    const turned = await took('not ready', async () => (await readiness(gateway)) === 503)
    expect(turned).toBeLessThan(SOON_MS * BUSY_FACTOR)
    expect((await gateway.api.send('GET', 'health/live')).status).toBe(200)
    expect(await component(gateway, 'storage')).toMatchObject({ healthy: false, status: 'offline' })
    expect(await component(gateway, 'healthy')).toMatchObject({ healthy: true, status: 'online' })
    const refused = await gateway.api.send('GET', 'executions')
    expect(refused).toMatchObject({ status: 503, body: { error: 'unavailable' } })
    expect(refused.text).not.toMatch(/ECONNREFUSED|postgres/i)
    for (const id of [2, 3, 4]) expect(await echo(id)).toMatchObject({ content: [{ text: `call ${id}` }] })
    let strictCalls = 0
    const blocked = async () => {
      const answer = await strict.api.execute('healthy__echo', { said: 'unaudited' })
      if (answer.status === 200) strictCalls += 1
      return answer
    }
    await until('F24 calls that cannot be audited are refused', async () => (await blocked()).status === 503)
    expect((await blocked()).body).toMatchObject({ error: 'unavailable', message: 'The audit cannot be written now' })

    await cluster.restart()
    await until('calls can be audited again', async () => (await blocked()).status === 200)
    const recovered = await took('ready again', async () => (await readiness(gateway)) === 200)
    expect(recovered).toBeLessThan(SOON_MS * BUSY_FACTOR)
    expect(await component(gateway, 'storage')).toMatchObject({ healthy: true, status: 'online' })
    await until('the calls of the outage are in the history', async () => {
      const { body } = await gateway.api.send('GET', 'executions?name=healthy__echo&status=success')
      return body['total'] === 4 + strictCalls
    })
  })
})

test('a server that dies shows within moments, alone, and is back by itself (R179)', async () => {
  await using place = await newDirectory()
  const mortal = sick('healthy', { start: 'eager' })
  await using gateway = await startGatewayChild({ directory: place.path, file: { servers: { mortal, other: mortal } } })
  await gateway.api.online('mortal', 'other')
  const pid = Number((await gateway.api.execute('mortal__pid')).body.result.content[0]?.text)
  process.kill(pid, 'SIGKILL')
  const gone = await took('the dead child shows', async () => (await component(gateway, 'mortal'))?.status !== 'online')
  expect(gone).toBeLessThan(SOON_MS * BUSY_FACTOR)
  expect(await component(gateway, 'other')).toMatchObject({ healthy: true })
  await took('the child is back', async () => (await component(gateway, 'mortal'))?.status === 'online')
  expect((await detailed(gateway)).overall_healthy).toBe(true)
})

test.each(['legacy', 'modern'] as const)(
  'a %s server over HTTP that nobody calls shows when it dies, and when it is back (R179)',
  async (era) => {
    await using place = await newDirectory()
    const first = await startFixture({ era })
    const port = Number(new URL(first.url).port)
    await using gateway = await startGatewayChild({
      directory: place.path,
      file: { servers: { remote: { url: first.url } } },
    })
    await gateway.api.online('remote')
    await first.close()
    const away = await took(
      `the ${era} server shows`,
      async () => (await component(gateway, 'remote'))?.healthy === false,
    )
    expect(away).toBeLessThan(SOON_MS * BUSY_FACTOR)
    await using _second = await startFixture({ era, port })
    await took(`the ${era} server is back`, async () => (await component(gateway, 'remote'))?.status === 'online')
  },
)

const uptime = async (gateway: GatewayChild) => (await detailed(gateway)).uptime

test('uptime grows with the clock and begins anew with the process (R178)', async () => {
  await using place = await newDirectory()
  const first = await startGatewayChild({ directory: place.path })
  const since = performance.now()
  const before = await uptime(first)
  await until('a second has passed', async () => (await uptime(first)) > before + 1)
  expect(performance.now() - since).toBeGreaterThanOrEqual(1000)
  const last = await uptime(first)
  await first[Symbol.asyncDispose]()
  await using second = await startGatewayChild({ directory: place.path })
  expect(await uptime(second)).toBeLessThan(last + 5)
  expect(await uptime(second)).toBeLessThan((performance.now() - since) / 1000)
})
