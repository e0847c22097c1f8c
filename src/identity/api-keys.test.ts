import { describe, expect, test } from 'vitest'
import { MINUTE, PASSWORD, identityStage, type IdentityStage } from '../../test/support/identity-stage.ts'
import { addressList, networkOf } from './addresses.ts'
import type { ApiKeyDraft } from './api-keys.ts'

const REFUSED = { code: 'authentication_error', message: 'The credential is missing, wrong or no longer valid' }
const ALL = { limit: 100, offset: 0 }

async function withKey(t: IdentityStage, draft: Partial<ApiKeyDraft> = {}) {
  const user = await t.identity.users.register({ username: 'ann', password: PASSWORD, roles: ['developer'] })
  return { user, ...(await t.identity.apiKeys.create({ name: 'laptop', ownerId: user.id, ...draft })) }
}

const authenticated = async (t: IdentityStage, key: string, address?: string, identity = t.identity) =>
  identity.authenticate(key, { address })

describe('an API key', () => {
  test('is shown once, says who calls and what of that it is limited to', async () => {
    await using t = await identityStage()
    const limits = { permissions: ['tools:execute:files__*'], namespaces: ['dev'] }
    const { user, apiKey, key } = await withKey(t, limits)
    expect(key).toMatch(/^mmcp_[\w-]{43}$/)
    expect(await authenticated(t, key)).toEqual({
      id: user.id,
      username: 'ann',
      roles: ['developer'],
      kind: 'api-key',
      keyId: apiKey.id,
      ...limits,
    })
  })

  test('A27 is stored as prefix and hash alone', async () => {
    await using t = await identityStage()
    const { apiKey, key } = await withKey(t)
    expect(apiKey.prefix).toBe(key.slice(0, 12))
    const stored = JSON.stringify([
      apiKey,
      await t.identity.apiKeys.list(ALL),
      await t.identity.apiKeys.find(apiKey.id),
    ])
    expect(stored).not.toContain(key.slice(0, 14))
    expect(stored).not.toContain(key.slice(20))
  })

  test('A27 is refused at once when it is revoked, on this gateway and within a second on another', async () => {
    await using t = await identityStage()
    const other = t.another({ isShared: true })
    const { apiKey, key } = await withKey(t)
    await authenticated(t, key)
    await authenticated(t, key, undefined, other)
    await t.identity.apiKeys.revoke(apiKey.id)
    await expect(authenticated(t, key)).rejects.toMatchObject(REFUSED)
    t.pass(1000)
    await expect(authenticated(t, key, undefined, other)).rejects.toMatchObject(REFUSED)
    await expect(authenticated(t, key, undefined, t.another())).rejects.toMatchObject(REFUSED)
    await t.identity.apiKeys.revoke(apiKey.id)
    expect(await t.identity.apiKeys.find(apiKey.id)).toMatchObject({ revokedAt: t.now() - 1000 })
    await expect(t.identity.apiKeys.revoke('nothing')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('Z11 has the roles that its owner has now, and none when the owner is inactive or gone', async () => {
    await using t = await identityStage()
    const { user, key } = await withKey(t)
    await authenticated(t, key)
    await t.identity.users.change(user.id, { roles: ['viewer'] })
    expect(await authenticated(t, key)).toMatchObject({ roles: ['viewer'] })
    await t.identity.users.change(user.id, { isActive: false })
    await expect(authenticated(t, key)).rejects.toMatchObject(REFUSED)
    await t.identity.users.change(user.id, { isActive: true })
    expect(await authenticated(t, key)).toMatchObject({ id: user.id })
    await t.identity.users.remove(user.id)
    await expect(authenticated(t, key)).rejects.toMatchObject(REFUSED)
  })

  test('is refused from the moment it expires, also when it was just used', async () => {
    await using t = await identityStage()
    const { key } = await withKey(t, { expiresAt: 1_800_000_000_000 + MINUTE })
    t.pass(MINUTE - 1)
    await authenticated(t, key)
    t.pass(1)
    await expect(authenticated(t, key)).rejects.toMatchObject(REFUSED)
  })

  test('is accepted only from its addresses, also when it was just used from one', async () => {
    await using t = await identityStage()
    const { key } = await withKey(t, { addresses: ['192.0.2.0/24', '2001:db8::7'] })
    for (const address of ['192.0.2.1', '::ffff:192.0.2.255', '2001:db8:0::7']) {
      expect(await authenticated(t, key, address)).toMatchObject({ username: 'ann' })
    }
    for (const address of [
      '192.0.3.1',
      '::ffff:192.0.3.1',
      '2001:db8::8',
      undefined,
      '',
      'unknown',
      '192.0.2.1, 10.0.0.1',
    ]) {
      await expect(authenticated(t, key, address)).rejects.toMatchObject(REFUSED)
    }
    expect(await authenticated(t, key, '192.0.2.1')).toMatchObject({ username: 'ann' })
  })

  test('has its last use written at most once a minute', async () => {
    await using t = await identityStage()
    const { apiKey, key } = await withKey(t)
    const lastUse = async () => (await t.identity.apiKeys.find(apiKey.id)).lastUsedAt
    expect(await lastUse()).toBeUndefined()
    const start = t.now()
    for (let count = 0; count < 10; count += 1) await authenticated(t, key)
    expect(await lastUse()).toBe(start)
    t.pass(MINUTE - 1)
    await authenticated(t, key)
    expect(await lastUse()).toBe(start)
    t.pass(1)
    await authenticated(t, key)
    expect(await lastUse()).toBe(start + MINUTE)
  })

  test('is accepted although its use cannot be noted', async () => {
    await using t = await identityStage()
    const { key } = await withKey(t)
    const apiKeys = { ...t.storage.identity.apiKeys, touch: () => Promise.reject(new Error('disk full')) }
    const other = t.another({ stores: { ...t.storage.identity, apiKeys } })
    expect(await authenticated(t, key, undefined, other)).toMatchObject({ username: 'ann' })
    expect(t.log).toContainEqual({
      key: expect.any(String) as unknown,
      error: 'disk full',
      phrase: 'use of an API key could not be noted',
    })
  })

  test.each([
    ['nobody has', () => `mmcp_${'A'.repeat(43)}`],
    ['is cut short', (key: string) => key.slice(0, -1)],
    ['has one more character', (key: string) => `${key}A`],
    ['has another last character', (key: string) => key.slice(0, -1) + (key.endsWith('A') ? 'B' : 'A')],
    ['has another case', (key: string) => key.toUpperCase()],
    ['has no prefix', (key: string) => key.slice(5)],
    ['is its own prefix', (key: string) => key.slice(0, 12)],
    ['has a wildcard', (key: string) => `${key.slice(0, 47)}%`],
  ])('that %s is refused', async (_, made) => {
    await using t = await identityStage()
    const { key } = await withKey(t)
    await expect(authenticated(t, made(key))).rejects.toMatchObject(REFUSED)
  })

  test('Z2 takes from a draft only what a draft may say', async () => {
    await using t = await identityStage()
    const forged: object = { hash: 'mine', id: 'mine', prefix: 'mine', lastUsedAt: 1, createdAt: 1 }
    const { apiKey } = await withKey(t, forged)
    expect(JSON.stringify(apiKey)).not.toContain('mine')
    expect(apiKey).toMatchObject({ createdAt: t.now() })
    expect(apiKey).not.toHaveProperty('lastUsedAt')
  })

  test.each<[string, Partial<ApiKeyDraft>]>([
    ['no name', { name: ' ' }],
    ['a long name', { name: 'x'.repeat(101) }],
    ['a name with a line break', { name: 'a\nb' }],
    ['an end in the past', { expiresAt: 1_800_000_000_000 }],
    ['an end that is no time', { expiresAt: Number.NaN }],
    ['very many permissions', { permissions: Array.from({ length: 101 }, () => 'tools:read') }],
    ['a very long namespace', { namespaces: ['x'.repeat(201)] }],
    ['a host name as address', { addresses: ['example.com'] }],
    ['a range without bits', { addresses: ['10.0.0.0/'] }],
    ['a range with too many bits', { addresses: ['10.0.0.0/33'] }],
    ['a range in two halves', { addresses: ['10.0.0.0/8/8'] }],
    ['an address with a zone', { addresses: ['fe80::1%eth0'] }],
  ])('with %s is not made', async (_, wrong) => {
    await using t = await identityStage()
    await expect(withKey(t, wrong)).rejects.toMatchObject({ code: 'validation_error' })
    expect(await t.identity.apiKeys.list(ALL)).toMatchObject({ total: 0 })
  })
})

describe('addresses', () => {
  test('an empty list has none', () => {
    expect(addressList([]).includes('127.0.0.1')).toBe(false)
  })

  test('all of IPv4 is not all of IPv6', () => {
    const list = addressList(['0.0.0.0/0'])
    expect([list.includes('8.8.8.8'), list.includes('::ffff:8.8.8.8'), list.includes('2001:db8::1')]).toEqual([
      true,
      true,
      false,
    ])
  })

  test('a link-local address is itself whatever interface it came by', () => {
    expect(addressList(['fe80::/10']).includes('fe80::1%eth0')).toBe(true)
  })

  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:0DB8:0:0:ffff::2%eth0', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1', 'fe80:0:0:0::/64'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4::/64'],
    ['unknown', 'unknown'],
  ])('%s counts as %s', (address, network) => expect(networkOf(address)).toBe(network))
})
