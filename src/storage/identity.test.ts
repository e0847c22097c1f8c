import { describe, expect, test } from 'vitest'
import type { ApiKey } from '#identity/api-keys'
import type { LoginRecord } from '#identity/logins'
import type { RefreshFamily } from '#identity/refresh-families'
import { uuidv7 } from '#kernel/ids'
import type { Storage } from './open-storage.ts'
import { freshStorage, storageEngines } from '../../test/support/storage-engines.ts'
import { NAUGHTY_STRINGS, userRecord } from '../../test/support/storage-samples.ts'

const NOON = 1_800_000_000_000
const ALL = { limit: 1000, offset: 0 }
const LAST = {
  code: 'conflict',
  message: 'The last administrator cannot be removed, deactivated or lose the role admin',
}

function family(userId: string, changes: Partial<RefreshFamily> = {}): RefreshFamily {
  const times = { startedAt: NOON, renewedAt: NOON, expiresAt: NOON + 1000 }
  return { id: uuidv7(), userId, epoch: 0, tokenHash: 'first', ...times, ...changes }
}

function apiKey(ownerId: string, changes: Partial<ApiKey> = {}): ApiKey {
  const id = uuidv7()
  return { id, name: 'laptop', ownerId, prefix: 'mmcp_abc', hash: `hash-${id}`, createdAt: NOON, ...changes }
}

function login(at: number, changes: Partial<LoginRecord> = {}): LoginRecord {
  return { id: uuidv7(at), userId: 'ann', outcome: 'success', ip: '10.0.0.1', agent: 'curl', at, ...changes }
}

async function withUser(storage: Storage) {
  const user = userRecord()
  await storage.identity.users.insert(user)
  return user
}

for (const engine of storageEngines) {
  describe.skipIf(!engine.available)(`users on ${engine.name}`, () => {
    test('a user comes back as it went in, by id and by username in any case of its letters (R063)', async () => {
      await using storage = await freshStorage(engine)
      const { users } = storage.identity
      const user = userRecord({ username: 'Ann.Lee', email: 'ann@example.com', fullName: '李安 👩‍👧 \0' })
      await users.insert(user)
      expect(await users.find(user.id)).toStrictEqual(user)
      expect(await users.findByUsername('aNN.lEE')).toStrictEqual(user)
      expect(await users.findByUsername('ann')).toBeUndefined()
      expect(await users.find('ann.lee')).toBeUndefined()
    })

    test('of many who take one username at once, in any case of its letters, exactly one gets it', async () => {
      await using storage = await freshStorage(engine)
      const { users } = storage.identity
      const names = ['ann', 'ANN', 'Ann', 'aNn', 'anN', 'AnN']
      const results = await Promise.allSettled(names.map((username) => users.insert(userRecord({ username }))))
      const refusals = results.filter((result) => result.status === 'rejected')
      expect(refusals).toHaveLength(5)
      for (const { reason } of refusals) expect(reason).toMatchObject({ code: 'conflict' })
      expect(await users.list(ALL)).toMatchObject({ total: 1 })
    })

    test('users are listed by creation, in pages, with the number of all', async () => {
      await using storage = await freshStorage(engine)
      const { users } = storage.identity
      const all = Array.from({ length: 5 }, (_, index) => userRecord({ id: uuidv7(NOON + index) }))
      for (const user of all) await users.insert(user)
      expect(await users.list({ limit: 2, offset: 1 })).toEqual({ users: all.slice(1, 3), total: 5 })
    })

    test('changes that come at once are made one after the other and none is lost', async () => {
      await using storage = await freshStorage(engine)
      const { users } = storage.identity
      const { id } = await withUser(storage)
      const rise = () => users.update(id, (user) => ({ ...user, tokenEpoch: user.tokenEpoch + 1 }))
      await Promise.all(Array.from({ length: 20 }, rise))
      expect(await users.find(id)).toMatchObject({ tokenEpoch: 20 })
    })

    test('a change keeps id and username, and one that throws changes nothing', async () => {
      await using storage = await freshStorage(engine)
      const { users } = storage.identity
      const user = await withUser(storage)
      const changed = await users.update(user.id, (before) => ({ ...before, id: 'x', username: 'y', email: 'a@b' }))
      expect(changed).toEqual({ ...user, email: 'a@b' })
      const broken = users.update(user.id, () => {
        throw new TypeError('a bug')
      })
      await expect(broken).rejects.toThrow('a bug')
      expect(await users.find(user.id)).toEqual(changed)
    })

    test('who is not there can be neither changed nor removed', async () => {
      await using storage = await freshStorage(engine)
      const { users } = storage.identity
      await expect(users.update('nobody', (user) => user)).rejects.toMatchObject({ code: 'not_found' })
      expect(await users.delete('nobody')).toBe(false)
    })

    test('a removed user is gone with all keys and refresh families, and the username is free', async () => {
      await using storage = await freshStorage(engine)
      const { users, families, apiKeys } = storage.identity
      const user = await withUser(storage)
      const [ofUser, key] = [family(user.id), apiKey(user.id)]
      await families.insert(ofUser)
      await apiKeys.insert(key)
      expect(await users.delete(user.id)).toBe(true)
      expect(await families.find(ofUser.id)).toBeUndefined()
      expect(await apiKeys.findByHash(key.hash)).toBeUndefined()
      await users.insert(userRecord({ username: user.username }))
    })

    test.each([
      ['removed', (storage: Storage, id: string) => storage.identity.users.delete(id)],
      [
        'deactivated',
        (storage: Storage, id: string) => storage.identity.users.update(id, (u) => ({ ...u, isActive: false })),
      ],
      [
        'demoted',
        (storage: Storage, id: string) => storage.identity.users.update(id, (u) => ({ ...u, roles: ['user'] })),
      ],
    ])('Z5 the last administrator cannot be %s, also when all of them are at once', async (_, lose) => {
      await using storage = await freshStorage(engine)
      const { users } = storage.identity
      const administrators = Array.from({ length: 6 }, () => userRecord({ roles: ['admin', 'user'] }))
      for (const user of [...administrators, userRecord({ roles: ['admin'], isActive: false })])
        await users.insert(user)
      const results = await Promise.allSettled(administrators.map(({ id }) => lose(storage, id)))
      const refusals = results.filter((result) => result.status === 'rejected')
      expect(refusals.map(({ reason }) => reason as unknown)).toEqual([expect.objectContaining(LAST)])
      const left = (await users.list(ALL)).users.filter(({ roles, isActive }) => isActive && roles.includes('admin'))
      expect(left).toHaveLength(1)
    })
  })

  describe.skipIf(!engine.available)(`logins on ${engine.name}`, () => {
    test('the history of a user is newest first, in pages, with whatever agents send (R064)', async () => {
      await using storage = await freshStorage(engine)
      const { logins } = storage.identity
      const all = NAUGHTY_STRINGS.map((agent, index) => login(NOON + index, { agent }))
      for (const each of all) await logins.append(each)
      await logins.append(login(NOON, { userId: 'bob' }))
      const { userId: _, ...ofNobody } = login(NOON, { outcome: 'unknown_user' })
      await logins.append(ofNobody)
      expect(await logins.list('ann', ALL)).toEqual({ logins: all.toReversed(), total: all.length })
      const page = await logins.list('ann', { limit: 2, offset: 1 })
      expect(page.logins).toEqual(all.toReversed().slice(1, 3))
    })

    test('what is old goes, and of the rest all but the newest', async () => {
      await using storage = await freshStorage(engine)
      const { logins } = storage.identity
      for (let index = 0; index < 10; index += 1) await logins.append(login(NOON + index))
      expect(await logins.prune(NOON + 2, 100)).toBe(2)
      expect(await logins.prune(NOON, 5)).toBe(3)
      expect((await logins.list('ann', ALL)).logins.map(({ at }) => at - NOON)).toEqual([9, 8, 7, 6, 5])
    })
  })

  describe.skipIf(!engine.available)(`refresh families and revocations on ${engine.name}`, () => {
    test('A17 of many who use one refresh token at once exactly one wins (R032)', async () => {
      await using storage = await freshStorage(engine)
      const { families } = storage.identity
      const first = family((await withUser(storage)).id)
      await families.insert(first)
      const rivals = Array.from({ length: 20 }, (_, index) => ({ ...first, tokenHash: `next-${index}` }))
      const won = await Promise.all(rivals.map((next) => families.replace('first', next)))
      expect(won.filter(Boolean)).toHaveLength(1)
      expect(await families.find(first.id)).toEqual(rivals[won.indexOf(true)])
    })

    test('a family that was deleted does not come back by the use of its token', async () => {
      await using storage = await freshStorage(engine)
      const { families } = storage.identity
      const first = family((await withUser(storage)).id)
      await families.insert(first)
      await families.delete(first.id)
      expect(await families.replace('first', { ...first, tokenHash: 'next' })).toBe(false)
      expect(await families.find(first.id)).toBeUndefined()
    })

    test('revocations are found among others, may come twice, and go when they have expired (R142)', async () => {
      await using storage = await freshStorage(engine)
      const { revocations } = storage.identity
      expect(await revocations.has(['a', 'b'])).toBe(false)
      await revocations.add([
        { id: 'a', expiresAt: NOON },
        { id: 'long', expiresAt: NOON + 1000 },
      ])
      await revocations.add([{ id: 'a', expiresAt: NOON }])
      expect(await revocations.has(['x', 'a'])).toBe(true)
      expect(await revocations.has(['x', 'y'])).toBe(false)
      expect(await revocations.has([])).toBe(false)
      expect(await revocations.prune(NOON + 1)).toBe(1)
      expect(await revocations.has(['a'])).toBe(false)
      expect(await revocations.has(['long'])).toBe(true)
    })

    test('families that nobody renewed go, the others stay', async () => {
      await using storage = await freshStorage(engine)
      const { families } = storage.identity
      const { id } = await withUser(storage)
      const [old, young] = [family(id), family(id, { expiresAt: NOON + 5000 })]
      await families.insert(old)
      await families.insert(young)
      expect(await families.prune(NOON + 2000)).toBe(1)
      expect(await families.find(old.id)).toBeUndefined()
      expect(await families.find(young.id)).toEqual(young)
    })
  })

  describe.skipIf(!engine.available)(`API keys on ${engine.name}`, () => {
    test('a key comes back as it went in, by id and by hash', async () => {
      await using storage = await freshStorage(engine)
      const { apiKeys } = storage.identity
      const limits = { permissions: ['tools:execute:files__*'], namespaces: ['dev'], addresses: ['10.0.0.0/8'] }
      const key = apiKey((await withUser(storage)).id, { name: 'Ω "laptop"', ...limits, expiresAt: NOON + 1000 })
      await apiKeys.insert(key)
      expect(await apiKeys.find(key.id)).toStrictEqual(key)
      expect(await apiKeys.findByHash(key.hash)).toStrictEqual(key)
      expect(await apiKeys.findByHash('other')).toBeUndefined()
    })

    test('A27 a key is revoked once and for good, and its last use is noted', async () => {
      await using storage = await freshStorage(engine)
      const { apiKeys } = storage.identity
      const key = apiKey((await withUser(storage)).id)
      await apiKeys.insert(key)
      await apiKeys.touch(key.id, NOON + 5)
      expect(await apiKeys.revoke(key.id, NOON + 10)).toBe(true)
      expect(await apiKeys.revoke(key.id, NOON + 20)).toBe(false)
      expect(await apiKeys.revoke('other', NOON)).toBe(false)
      expect(await apiKeys.findByHash(key.hash)).toEqual({ ...key, lastUsedAt: NOON + 5, revokedAt: NOON + 10 })
    })

    test('keys are listed by creation, of one owner or of all', async () => {
      await using storage = await freshStorage(engine)
      const { apiKeys } = storage.identity
      const [ann, bob] = [await withUser(storage), await withUser(storage)]
      const keys = [ann, bob, ann, ann].map(({ id }, index) => apiKey(id, { id: uuidv7(NOON + index) }))
      for (const key of keys) await apiKeys.insert(key)
      expect(await apiKeys.list(ALL)).toEqual({ apiKeys: keys, total: 4 })
      const ofAnn = [keys[0], keys[2], keys[3]]
      expect(await apiKeys.list({ ownerId: ann.id, limit: 2, offset: 1 })).toEqual({
        apiKeys: ofAnn.slice(1),
        total: 3,
      })
    })
  })
}
