import { describe, expect, test } from 'vitest'
import type { GatewayChild } from '../support/gateway-child.ts'
import { startBackend } from '../support/recording-backend.ts'
import { startRedisServer } from '../support/redis-server.ts'
import { hasReplicas, loggedIn, startReplicas } from '../support/replicas.ts'
import { until } from '../support/until.ts'

type Headers = Readonly<Record<string, string>>

const ANN = { username: 'ann', password: 'battery horse correct' }
/** The bar of what is decided on one gateway. */
const MS_MAX = 1_000

const statusOf = async ({ api }: GatewayChild, headers: Headers, path = 'auth/me'): Promise<number> =>
  (await api.send('GET', path, undefined, headers)).status

const login = async ({ api }: GatewayChild, username: string, password: string): Promise<number> =>
  (await api.send('POST', 'auth/login', { username, password })).status

/** How long another gateway goes on with what was decided just now. */
async function msUntil(gateway: GatewayChild, headers: Headers, [status, path]: readonly [number, string?]) {
  const from = performance.now()
  await until(`${path ?? 'auth/me'} answers ${status}`, async () => (await statusOf(gateway, headers, path)) === status)
  return performance.now() - from
}

describe.skipIf(!hasReplicas)('two gateways on one PostgreSQL and one Redis', () => {
  /** R142, A11: who was logged out, demoted or locked out must not find a door at the gateway next door. */
  test('logout, roles, a key, a password and a deactivation on one act on the other in a second', async () => {
    await using replicas = await startReplicas({})
    const { one, two } = replicas
    const admin = await loggedIn(one)
    const made = await one.api.send<{ user_id: string }>('POST', 'users', { ...ANN, roles: ['operator'] }, admin)
    const path = `users/${made.body.user_id}`
    const measured: Record<string, number> = {}
    const decide = async (
      what: string,
      headers: Headers,
      then: readonly [number, string?],
      act: () => Promise<unknown>,
    ) => {
      expect([what, await statusOf(two, headers, then[1])]).toEqual([what, 200])
      await act()
      measured[what] = await msUntil(two, headers, then)
    }
    const change = (changes: object) => () => one.api.send('PATCH', path, changes, admin)

    const session = await loggedIn(one, ANN)
    await decide('logout', session, [401], () => one.api.send('POST', 'auth/logout', undefined, session))
    const draft = { name: 'k' }
    const mine = await loggedIn(one, ANN)
    const key = (await one.api.send<{ key: string; key_id: string }>('POST', 'api-keys', draft, mine)).body
    const keyed = { authorization: `Bearer ${key.key}` }
    await decide('key', keyed, [401], () => one.api.send('DELETE', `api-keys/${key.key_id}`, undefined, mine))
    await decide('roles', mine, [403, 'executions'], change({ roles: ['viewer'] }))
    const role = { name: 'reader', permissions: ['executions:read'], deny: [] }
    expect((await one.api.send('POST', 'roles', role, admin)).status).toBe(201)
    await change({ roles: ['reader'] })()
    await until('the role is known', async () => (await statusOf(two, mine, 'executions')) === 200)
    await decide('a role', mine, [403, 'executions'], () =>
      one.api.send('PUT', 'roles/reader', { permissions: [], deny: [] }, admin),
    )
    await decide('password', mine, [401], change({ password: 'another horse battery' }))
    const again = await loggedIn(one, { ...ANN, password: 'another horse battery' })
    await decide('deactivation', again, [401], change({ is_active: false }))

    console.log(
      `another gateway knew after (ms): ${JSON.stringify(measured, (_, ms) => (typeof ms === 'number' ? Math.round(ms) : ms))}`,
    )
    expect(Object.entries(measured).filter(([, ms]) => ms > MS_MAX)).toEqual([])
    // A third one, started afterwards, has only what is stored.
    await using three = await replicas.another()
    for (const headers of [session, keyed, mine, again]) expect(await statusOf(three, headers)).toBe(401)
  })

  /** F13: without Redis the storage is asked each second, and nothing that was revoked comes back. */
  test('Redis killed: what is revoked stays so, what is revoked now is known a second later, both say degraded', async () => {
    await using replicas = await startReplicas({})
    const { one, two } = replicas
    const [admin, before, during, after] = [
      await loggedIn(one),
      await loggedIn(one),
      await loggedIn(one),
      await loggedIn(one),
    ]
    for (const headers of [before, during, after]) expect(await statusOf(two, headers)).toBe(200)
    await one.api.send('POST', 'auth/logout', undefined, before)
    await msUntil(two, before, [401])
    await replicas.redis.close()
    for (const gateway of [one, two]) {
      await until(
        'it is degraded',
        async () => (await gateway.api.send('GET', 'health/ready')).body['status'] === 'degraded',
      )
      expect(await statusOf(gateway, before)).toBe(401)
    }
    expect(await statusOf(two, during)).toBe(200)
    await one.api.send('POST', 'auth/logout', undefined, during)
    const role = { name: 'reader', permissions: ['tools:read'], deny: [] }
    expect((await one.api.send('POST', 'roles', role, admin)).status).toBe(201)
    await msUntil(two, during, [401])
    await msUntil(two, admin, [200, 'roles/reader'])

    await using _redis = await startRedisServer(replicas.redis.port)
    for (const gateway of [one, two])
      await until('it is ready', async () => (await gateway.api.send('GET', 'health/ready')).body['status'] === 'ready')
    await one.api.send('POST', 'auth/logout', undefined, after)
    await msUntil(two, after, [401])
    expect([await statusOf(two, before), await statusOf(two, during), await statusOf(two, admin)]).toEqual([
      401, 401, 200,
    ])
    for (const gateway of [one, two]) expect(gateway.log().match(/redis is away/g)).toHaveLength(1)
  })

  /** A13: who spreads guesses over gateways would have five more at each. */
  test('failed logins on both count together; without Redis each gateway goes on with its own', async () => {
    await using replicas = await startReplicas({})
    const { one, two } = replicas
    const admin = await loggedIn(one)
    for (const username of ['ann', 'bob'])
      expect((await one.api.send('POST', 'users', { ...ANN, username, roles: ['user'] }, admin)).status).toBe(201)
    const fail = async (gateway: GatewayChild, username: string, times: number): Promise<number[]> => {
      const answers: number[] = []
      for (let count = 0; count < times; count += 1) answers.push(await login(gateway, username, `wrong ${count}`))
      return answers
    }
    expect([...(await fail(one, 'ann', 3)), ...(await fail(two, 'ann', 2))]).toEqual([401, 401, 401, 401, 401])
    expect([await login(one, 'ann', ANN.password), await login(two, 'ann', ANN.password)]).toEqual([429, 429])
    // Who waited and is in, is in everywhere.
    await until('ann may log in', async () => (await login(two, 'ann', ANN.password)) === 200)
    expect([await login(one, 'ann', 'wrong'), await login(one, 'ann', ANN.password)]).toEqual([401, 200])

    expect(await fail(one, 'bob', 2)).toEqual([401, 401])
    await replicas.redis.close()
    expect(await fail(one, 'bob', 4)).toEqual([401, 401, 401, 429])
    expect(await login(two, 'bob', ANN.password)).toBe(200)
  })

  test('500 calls at once against a limit of 100 let exactly 100 through, over both; without Redis each counts alone', async () => {
    await using backend = await startBackend()
    backend.on('/lamp', '{}')
    const file = { tools: { lamp: { endpoint: `${backend.url}/lamp`, description: 'Light' } } }
    await using replicas = await startReplicas({ file, env: { META_MCP_RATE_LIMIT_CALLS: '100' } })
    const { one, two } = replicas
    const admin = await loggedIn(one)
    const burst = async (count: number, headers: Headers): Promise<Record<number, number>> => {
      const answers = await Promise.all(
        Array.from({ length: count }, (_, index) => [one, two][index % 2]!.api.execute('lamp', {}, headers)),
      )
      return Object.fromEntries(
        Map.groupBy(answers, ({ status }) => status)
          .entries()
          .map(([status, { length }]) => [status, length]),
      )
    }
    expect(await burst(500, admin)).toEqual({ 200: 100, 429: 400 })
    expect(backend.seen).toHaveLength(100)

    const made = await one.api.send('POST', 'users', { ...ANN, roles: ['user'] }, admin)
    expect(made.status).toBe(201)
    const ann = await loggedIn(one, ANN)
    expect(await burst(60, ann)).toEqual({ 200: 60 })
    await replicas.redis.close()
    // In the middle of it: nobody waits in vain, what was counted still is, and then each gateway has its own count.
    const { 200: through = 0, 429: refused = 0, ...others } = await burst(300, ann)
    expect(others).toEqual({})
    expect(through + refused).toBe(300)
    expect(through).toBeGreaterThanOrEqual(40)
    expect(through).toBeLessThanOrEqual(140)
  })
})
