import { afterEach, describe, expect, test, vi } from 'vitest'
import { createResources } from '#identity/resources'
import { uuidv7 } from '#kernel/ids'
import type { Logger } from '#kernel/logger'
import { NO_BROADCAST, type Broadcast } from '#kernel/broadcast'
import type { RoleStore } from '#policy/role-registry'
import { openRegistry } from '#registry/registry'
import { openRedis } from '#storage/open-redis'
import { openStorage } from '#storage/open-storage'
import { keepAccess } from './keep-access.ts'
import { openAccess } from './open-access.ts'
import { hasRedis, testRedis } from '../../test/support/redis.ts'
import { until } from '../../test/support/until.ts'

const LOG: Logger = { debug() {}, info() {}, warn() {}, error() {} }
const PASSWORD = 'correct horse battery'

/** A storage, and gateways on it. To each it looks like its own, so nothing but the broadcast tells it of the others. */
async function openPlace() {
  await using resources = new AsyncDisposableStack()
  const storage = resources.use(await openStorage({ kind: 'sqlite', path: ':memory:' }, { log: LOG, now: Date.now }))
  const { catalog } = await openRegistry({ stores: storage.registry, now: Date.now, newId: uuidv7 })
  const kept = resources.move()
  return {
    storage,
    async gateway({ broadcast = NO_BROADCAST, isShared = false, log = LOG, roles = storage.roles }: GatewayOptions) {
      const access = await openAccess({
        catalog,
        stores: { ...storage, roles },
        secret: Buffer.from('only-for-tests-0123456789-abcdefghijklmnop'),
        settings: {
          anonymousRole: undefined,
          accessTokenMs: 1_800_000,
          refreshTokenMs: 86_400_000,
          administrator: { username: 'admin' },
        },
        resources: createResources(undefined, 'http://localhost:8000'),
        broadcast,
        log,
        now: Date.now,
        newId: uuidv7,
      })
      kept.use(keepAccess({ ...access, broadcast, isShared, log }))
      return access
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

interface GatewayOptions {
  readonly broadcast?: Broadcast
  readonly isShared?: boolean
  readonly log?: Logger
  readonly roles?: RoleStore
}

afterEach(() => void vi.useRealTimers())

describe.skipIf(!hasRedis())('A11, Z9 what one gateway decides', () => {
  test('is in force on the others that hear of it: logout, a user, a key, a role', async () => {
    await using server = await testRedis()
    await using one = await openRedis(server.url, LOG)
    await using two = await openRedis(server.url, LOG)
    await using place = await openPlace()
    const here = await place.gateway({ broadcast: one.broadcast })
    const there = await place.gateway({ broadcast: two.broadcast })
    const user = await here.identity.users.register({ username: 'ann', password: PASSWORD, roles: ['user'] })
    const { accessToken } = await here.identity.pairs.open(user)
    const other = await here.identity.pairs.open(user)
    const { key, apiKey } = await here.identity.apiKeys.create({ name: 'k', ownerId: user.id })
    const isKnown = async (credential: string): Promise<boolean> =>
      Promise.resolve(there.identity.authenticate(credential, {})).then(
        () => true,
        () => false,
      )
    for (const each of [accessToken, other.accessToken, key]) expect(await isKnown(each)).toBe(true)

    await here.identity.pairs.end(accessToken)
    await until('the token is refused there', async () => !(await isKnown(accessToken)))
    expect([await isKnown(other.accessToken), await isKnown(key)]).toEqual([true, true])
    await here.identity.apiKeys.revoke(apiKey.id)
    await until('the key is refused there', async () => !(await isKnown(key)))
    await here.identity.users.change(user.id, { roles: ['viewer'] })
    await until('other roles count there', async () => {
      const { roles } = await there.identity.authenticate(other.accessToken, {})
      return roles.join() === 'viewer'
    })
    await here.identity.users.change(user.id, { isActive: false })
    await until('the user is refused there', async () => !(await isKnown(other.accessToken)))
    const may = () => there.policy.decide({ roles: ['reader'] }, 'tools:read').allowed
    await here.roles.create({ name: 'reader', permissions: ['tools:read'], deny: [] })
    await until('the role is known there', may)
    await here.roles.replace('reader', { permissions: ['tools:read'], deny: ['tools:read'] })
    await until('the role is another there', () => !may())
  })
})

test('without news, roles of a shared storage are read every second, and put in force only when they changed', async () => {
  await using place = await openPlace()
  const here = await place.gateway({})
  vi.useFakeTimers()
  const there = await place.gateway({ isShared: true })
  const before = there.policy.revision()
  await vi.advanceTimersByTimeAsync(3_000)
  expect(there.policy.revision()).toBe(before)
  await here.roles.create({ name: 'reader', permissions: ['tools:read'], deny: [] })
  expect(there.policy.decide({ roles: ['reader'] }, 'tools:read').allowed).toBe(false)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(there.policy.decide({ roles: ['reader'] }, 'tools:read').allowed).toBe(true)
})

test('roles that cannot be read stay as they are, which is told once', async () => {
  await using place = await openPlace()
  const phrases: string[] = []
  const log: Logger = { ...LOG, warn: (_fields, phrase) => void phrases.push(phrase) }
  let isDown = false
  const roles: RoleStore = {
    ...place.storage.roles,
    list: () => (isDown ? Promise.reject(new Error('down')) : place.storage.roles.list()),
  }
  vi.useFakeTimers()
  const gateway = await place.gateway({ isShared: true, log, roles })
  await gateway.roles.create({ name: 'reader', permissions: ['tools:read'], deny: [] })
  isDown = true
  await vi.advanceTimersByTimeAsync(5_000)
  expect(gateway.policy.decide({ roles: ['reader'] }, 'tools:read').allowed).toBe(true)
  isDown = false
  await vi.advanceTimersByTimeAsync(1_000)
  isDown = true
  await vi.advanceTimersByTimeAsync(2_000)
  expect(phrases).toEqual(['roles could not be read anew', 'roles could not be read anew'])
})

test('R142 what has expired is removed while the gateway runs, not only when it starts', async () => {
  await using place = await openPlace()
  vi.useFakeTimers()
  await place.gateway({})
  const { revocations } = place.storage.identity
  await revocations.add([{ id: 'gone', expiresAt: Date.now() + 60_000 }])
  await vi.advanceTimersByTimeAsync(59_000)
  expect(await revocations.has(['gone'])).toBe(true)
  await vi.advanceTimersByTimeAsync(10 * 60_000)
  await vi.waitFor(async () => expect(await revocations.has(['gone'])).toBe(false))
})
