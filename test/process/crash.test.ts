import { describe, expect, test } from 'vitest'
import { childEngines } from '../support/child-engines.ts'
import { startGatewayChild, type GatewayChild } from '../support/gateway-child.ts'
import { startBackend } from '../support/recording-backend.ts'
import { newDirectory } from '../support/test-app.ts'
import { until } from '../support/until.ts'

/** `npm run crash` asks for fifty. */
const ROUNDS = Number(process.env['META_MCP_TEST_CRASHES'] ?? 5)
const ROUND_MS_MAX = 20_000

/** What the gateway has said that it did. */
interface Acknowledged {
  readonly made: Set<string>
  readonly removed: Set<string>
}

/** Makes and removes namespaces, one after the other, until the gateway is gone. */
async function change({ api }: GatewayChild, prefix: string, { made, removed }: Acknowledged): Promise<void> {
  for (let n = 0; ; n += 1) {
    const name = `${prefix}-${n}`
    const { status } = await api.send('POST', 'namespaces', { name })
    expect(status).toBe(201)
    made.add(name)
    if (n % 3 !== 0) continue
    made.delete(name)
    expect((await api.send('DELETE', `namespaces/${name}`)).status).toBe(204)
    removed.add(name)
  }
}

async function call({ api }: GatewayChild): Promise<void> {
  for (;;) expect((await api.execute('plain')).status).toBe(200)
}

/** Works until a random number of changes were acknowledged, then ends the process in the middle of whatever it does. */
async function workAndKill(gateway: GatewayChild, prefix: string, acknowledged: Acknowledged): Promise<void> {
  const before = acknowledged.made.size + acknowledged.removed.size
  const wanted = before + 1 + Math.floor(Math.random() * 30)
  const workers = ['a', 'b'].map((each) => change(gateway, `${prefix}${each}`, acknowledged))
  const ends = [...workers, call(gateway), call(gateway)].map((work) => work.catch(endedByKill))
  await until('enough was acknowledged', () => acknowledged.made.size + acknowledged.removed.size >= wanted)
  gateway.signal('SIGKILL')
  await Promise.all([gateway.exited, ...ends])
}

/** A connection that breaks is what was asked for; an answer that is wrong is not. */
function endedByKill(error: unknown): void {
  if (!(error instanceof TypeError) && !(error instanceof SyntaxError)) throw error
}

async function audited({ api }: GatewayChild, action: string): Promise<Set<string>> {
  const resources = new Set<string>()
  for (let offset = 0; ; offset += 1000) {
    const query = `audit?action=${action}&outcome=success&limit=1000&offset=${offset}`
    const { body } = await api.send<{ records: { resource: string }[]; total: number }>('GET', query)
    for (const { resource } of body.records) resources.add(resource.replace('namespaces/', ''))
    if (offset + 1000 >= body.total) return resources
  }
}

async function checkAll(gateway: GatewayChild, { made, removed }: Acknowledged): Promise<void> {
  const { api } = gateway
  const { body } = await api.send<{ namespaces: { name: string }[] }>('GET', 'namespaces?limit=1000')
  const there = new Set(body.namespaces.map(({ name }) => name))
  expect([...made].filter((name) => !there.has(name))).toEqual([])
  expect([...removed].filter((name) => there.has(name))).toEqual([])
  const [created, deleted] = [await audited(gateway, 'namespaces:create'), await audited(gateway, 'namespaces:delete')]
  expect([...made, ...removed].filter((name) => !created.has(name))).toEqual([])
  expect([...removed].filter((name) => !deleted.has(name))).toEqual([])
  expect((await api.send('POST', 'audit/verify', {})).body).toMatchObject({ ok: true })
}

/** F16: what was acknowledged is what is there, whenever the process ends, and its record with it. */
describe.each(childEngines)('F16 on %s', (name, available, openPlace) => {
  test.skipIf(!available)(
    `R292 of what was acknowledged nothing is lost in ${ROUNDS} kills, and the audit chain holds`,
    { timeout: 30_000 + ROUNDS * ROUND_MS_MAX },
    async () => {
      await using directory = await newDirectory()
      await using backend = await startBackend()
      await using place = await openPlace()
      backend.on('/t', '{"ok":true}')
      const file = { tools: { plain: { endpoint: `${backend.url}/t`, method: 'GET', description: 'd' } } }
      const env = { ...place.env, META_MCP_RATE_LIMIT_MANAGEMENT: '0', META_MCP_RATE_LIMIT_CALLS: '0' }
      const options = { directory: directory.path, file, env }
      const acknowledged: Acknowledged = { made: new Set(), removed: new Set() }
      const startsMs: number[] = []
      for (let round = 0; round < ROUNDS; round += 1) {
        await using gateway = await startGatewayChild(options)
        expect((await gateway.api.send('GET', 'health/ready')).status).toBe(200)
        startsMs.push(Math.round(gateway.listenedAfterMs))
        await checkAll(gateway, acknowledged)
        await workAndKill(gateway, `r${round}`, acknowledged)
      }
      await using last = await startGatewayChild(options)
      await checkAll(last, acknowledged)
      const changes = acknowledged.made.size + 2 * acknowledged.removed.size
      console.log(
        `${name}: ${ROUNDS} kills, ${changes} changes acknowledged, 0 lost; ready after ms ${startsMs.join(' ')}`,
      )
    },
  )
})
