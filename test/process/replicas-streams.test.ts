import { describe, expect, test } from 'vitest'
import { holdStream, STREAMS, type HeldStream } from '../support/held-streams.ts'
import { startBackend } from '../support/recording-backend.ts'
import { hasReplicas, loggedIn, startReplicas, type Replicas } from '../support/replicas.ts'
import { until } from '../support/until.ts'

type Headers = Readonly<Record<string, string>>

const ANN = { username: 'ann', password: 'battery horse correct' }
/** The bar of what is decided on one gateway. */
const MS_MAX = 1_000

/** Streams at the second gateway, and how long they outlive what is done at the first one. */
async function endsAfter(replicas: Replicas, headers: Headers, act: () => Promise<unknown>): Promise<number> {
  await using cleanup = new AsyncDisposableStack()
  const held: HeldStream[] = []
  for (const kind of STREAMS) held.push(cleanup.use(await holdStream(kind, replicas.two, headers)))
  const admin = await loggedIn(replicas.one)
  const other = cleanup.use(await holdStream('GET /mcp', replicas.two, admin))
  const from = performance.now()
  await act()
  await until('the streams have ended', () => held.every(({ endedAt }) => endedAt !== undefined))
  expect(other.endedAt).toBeUndefined()
  return Math.max(...held.map(({ endedAt = Infinity }) => Math.round(endedAt - from)))
}

describe.skipIf(!hasReplicas)('streams at one gateway', () => {
  /** R142, A11: who may no more hears no more, wherever he listens; also while Redis is away. */
  test('end in a second with what is decided at the other one, and soon where there is no Redis', async () => {
    await using backend = await startBackend()
    const tools = { lamp: { endpoint: `${backend.url}/lamp`, description: 'Switches the light' } }
    await using replicas = await startReplicas({ file: { tools } })
    const { one } = replicas
    const admin = await loggedIn(one)
    const role = { name: 'light', permissions: ['tools:execute:lamp'], deny: [] }
    expect((await one.api.send('POST', 'roles', role, admin)).status).toBe(201)
    const made = await one.api.send<{ user_id: string }>('POST', 'users', { ...ANN, roles: ['light'] }, admin)
    const path = `users/${made.body.user_id}`
    const change = (changes: object) => one.api.send('PATCH', path, changes, admin)
    const measured: Record<string, number> = {}
    const session = await loggedIn(one, ANN)
    measured['logout'] = await endsAfter(replicas, session, () =>
      one.api.send('POST', 'auth/logout', undefined, session),
    )
    const mine = await loggedIn(one, ANN)
    const key = (await one.api.send<{ key: string; key_id: string }>('POST', 'api-keys', { name: 'k' }, mine)).body
    measured['key'] = await endsAfter(replicas, { authorization: `Bearer ${key.key}` }, () =>
      one.api.send('DELETE', `api-keys/${key.key_id}`, undefined, mine),
    )
    measured['role'] = await endsAfter(replicas, mine, () =>
      one.api.send('PUT', 'roles/light', { permissions: ['tools:execute:other'], deny: [] }, admin),
    )
    await one.api.send('PUT', 'roles/light', { permissions: role.permissions, deny: [] }, admin)
    measured['roles'] = await endsAfter(replicas, await loggedIn(one, ANN), () => change({ roles: ['auditor'] }))
    measured['deactivation'] = await endsAfter(replicas, await loggedIn(one, ANN), () => change({ is_active: false }))
    await change({ is_active: true })
    await replicas.redis.close()
    const last = await loggedIn(one, ANN)
    const withoutRedis = await endsAfter(replicas, last, () => one.api.send('POST', 'auth/logout', undefined, last))
    console.log(
      `streams at another gateway ended after (ms): ${JSON.stringify(measured)}; without Redis ${withoutRedis}`,
    )
    expect(Object.entries(measured).filter(([, ms]) => ms > MS_MAX)).toEqual([])
  })
})
