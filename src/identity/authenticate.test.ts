import { describe, expect, test } from 'vitest'
import { AppError } from '#kernel/errors'
import { MINUTE, PASSWORD, SECRET, identityStage, type IdentityStage } from '../../test/support/identity-stage.ts'
import { createRecentMap } from '#kernel/recent-map'
import { LOCAL_COMMANDS, newLocalToken } from './local-token.ts'
import { LOCAL_PRINCIPAL } from './principal.ts'
import { signingKeyOf } from './signing-keys.ts'
import { isUsername } from './user-rules.ts'

async function loggedIn(t: IdentityStage) {
  const user = await t.identity.users.register({ username: 'ann', password: PASSWORD, roles: ['user', 'auditor'] })
  return { user, token: (await t.identity.pairs.open(user)).accessToken }
}

/** Counts how often the stores are asked. */
function counted(t: IdentityStage) {
  const asked = { users: 0, revocations: 0 }
  const { identity } = t.storage
  const users = { ...identity.users, find: (id: string) => ((asked.users += 1), identity.users.find(id)) }
  const revocations = {
    ...identity.revocations,
    has: (ids: readonly string[]) => ((asked.revocations += 1), identity.revocations.has(ids)),
  }
  return { asked, stores: { ...identity, users, revocations } }
}

describe('authentication', () => {
  test('R033 R061 an access token tells who calls, with the roles of now', async () => {
    await using t = await identityStage()
    const { user, token } = await loggedIn(t)
    const principal = await t.identity.authenticate(token, {})
    expect(principal).toEqual({ id: user.id, username: 'ann', roles: ['user', 'auditor'], kind: 'user' })
    expect(JSON.stringify(principal)).not.toContain('argon2')
  })

  test('who is local is an administrator', () => {
    expect(LOCAL_PRINCIPAL).toEqual({ id: 'local', roles: ['admin'], kind: 'local' })
  })

  test('the local token is good on this machine, for this run, and for nobody else', async () => {
    await using t = await identityStage({ localToken: newLocalToken() })
    const asked = async (token: string, address?: string) =>
      Promise.resolve(t.identity.authenticate(token, { address })).catch((e: unknown) => (e as AppError).code)
    const mine = newLocalToken()
    const there = t.another({ localToken: mine })
    for (const address of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'])
      expect(await there.authenticate(mine, { address })).toBe(LOCAL_COMMANDS)
    for (const address of ['10.0.0.1', '::ffff:10.0.0.1', 'fe80::1', undefined])
      await expect(there.authenticate(mine, { address })).rejects.toMatchObject({ code: 'authentication_error' })
    expect(await asked(mine, '127.0.0.1')).toBe('authentication_error')
    expect(await asked(newLocalToken(), '127.0.0.1')).toBe('authentication_error')
    expect(isUsername(LOCAL_COMMANDS.username ?? '')).toBe(false)
  })

  test('R140 every refusal is the same one, and only the log knows why', async () => {
    await using t = await identityStage()
    const { user, token } = await loggedIn(t)
    const { key, apiKey } = await t.identity.apiKeys.create({ name: 'x', ownerId: user.id, addresses: ['10.0.0.1'] })
    const foreign = t.another({
      access: {
        issuer: 'https://gateway.test',
        audience: 'https://other.test/mcp',
        lifetimeMs: 30 * MINUTE,
        key: await signingKeyOf({ algorithm: 'HS256', secret: SECRET }),
      },
    })
    const credentials = [
      'nonsense',
      'x'.repeat(100_000),
      (await foreign.pairs.open(user)).accessToken,
      `${token}A`,
      key,
      `mmcp_${'A'.repeat(43)}`,
      undefined,
      '',
    ]
    await t.identity.pairs.end(token)
    await t.identity.apiKeys.revoke(apiKey.id)
    credentials.push(token, key)
    const refusals: unknown[] = []
    for (const credential of credentials) {
      refusals.push(
        await Promise.resolve(t.identity.authenticate(credential, { address: '192.0.2.1' })).catch((e: unknown) => e),
      )
    }
    for (const error of refusals) {
      expect(error).toBeInstanceOf(AppError)
      expect(error).toMatchObject({ code: 'authentication_error', status: 401, details: {} })
    }
    expect(new Set(refusals.map((error) => (error as AppError).message)).size).toBe(1)
    const reasons = t.log.filter(({ phrase }) => phrase === 'credential refused').map(({ reason }) => reason)
    expect(new Set(reasons)).toEqual(
      new Set([
        'no token of ours',
        'the credential is too long',
        'unexpected "aud" claim value',
        'signature verification failed',
        'no API key of ours',
        'the API key is revoked',
        'the token is revoked',
      ]),
    )
    const log = JSON.stringify(t.log)
    for (const secret of [key, token.slice(-20), 'xxxxxxxx']) expect(log).not.toContain(secret)
  })

  test('never throws: whoever waits for it sees every refusal', async () => {
    await using t = await identityStage()
    for (const credential of [undefined, '', 'x'.repeat(9000), 'nonsense']) {
      const answer = t.identity.authenticate(credential, {})
      expect(answer).toBeInstanceOf(Promise)
      await expect(answer).rejects.toMatchObject({ code: 'authentication_error' })
    }
  })

  test('a storage that does not answer is no wrong credential', async () => {
    await using t = await identityStage()
    const { token } = await loggedIn(t)
    await t.storage[Symbol.asyncDispose]()
    await expect(t.identity.authenticate(token, {})).rejects.toMatchObject({ code: 'unavailable', status: 503 })
  })
})

describe('a credential that was verified before', () => {
  test('is answered at once, without asking the store', async () => {
    await using t = await identityStage()
    const { token } = await loggedIn(t)
    const { asked, stores } = counted(t)
    const identity = t.another({ stores })
    const first = await identity.authenticate(token, {})
    t.pass(29 * MINUTE)
    for (let count = 0; count < 100; count += 1) expect(identity.authenticate(token, {})).toBe(first)
    expect(asked).toEqual({ users: 1, revocations: 1 })
    t.pass(MINUTE)
    await expect(identity.authenticate(token, {})).rejects.toMatchObject({ code: 'authentication_error' })
  })

  test('is checked anew every second where others write to the store', async () => {
    await using t = await identityStage()
    const { token } = await loggedIn(t)
    const { asked, stores } = counted(t)
    const identity = t.another({ stores, isShared: true })
    await identity.authenticate(token, {})
    t.pass(999)
    expect(identity.authenticate(token, {})).not.toBeInstanceOf(Promise)
    t.pass(1)
    await identity.authenticate(token, {})
    expect(asked).toEqual({ users: 2, revocations: 2 })
  })

  test('goes on while the storage does not answer', async () => {
    await using t = await identityStage()
    const { user, token } = await loggedIn(t)
    await t.identity.authenticate(token, {})
    await t.storage[Symbol.asyncDispose]()
    expect(await t.identity.authenticate(token, {})).toMatchObject({ id: user.id })
  })

  test('A11 is not remembered when its user changed while it was being verified', async () => {
    await using t = await identityStage()
    const { user, token } = await loggedIn(t)
    const gate = Promise.withResolvers<void>()
    const read = Promise.withResolvers<void>()
    const users = {
      ...t.storage.identity.users,
      find: async (id: string) => {
        const found = await t.storage.identity.users.find(id)
        read.resolve()
        await gate.promise
        return found
      },
    }
    const identity = t.another({ stores: { ...t.storage.identity, users } })
    const early = identity.authenticate(token, {})
    await read.promise
    await identity.users.change(user.id, { isActive: false })
    gate.resolve()
    await early
    await expect(identity.authenticate(token, {})).rejects.toMatchObject({ code: 'authentication_error' })
  })

  test('A11 is forgotten when another gateway says so', async () => {
    await using t = await identityStage()
    const { user, token } = await loggedIn(t)
    const other = t.another()
    await other.authenticate(token, {})
    await t.identity.users.change(user.id, { isActive: false })
    for (const id of t.withdrawn) other.withdraw(id)
    await expect(other.authenticate(token, {})).rejects.toMatchObject({ code: 'authentication_error' })
  })
})

describe('the memory of what was verified', () => {
  test('never has more than its size, and keeps what is used', () => {
    const recent = createRecentMap<number>(10)
    recent.set('used', -1)
    for (let index = 0; index < 1000; index += 1) {
      recent.set(`k${index}`, index)
      expect(recent.get('used')).toBe(-1)
      expect(recent.size).toBeLessThanOrEqual(10)
      expect(recent.get(`k${index}`)).toBe(index)
    }
    expect(recent.get('k0')).toBeUndefined()
  })

  test('forgets a value wherever it is', () => {
    const recent = createRecentMap<number>(4)
    for (const [index, key] of ['a', 'b', 'c'].entries()) recent.set(key, index)
    recent.deleteWhere((value) => value !== 1)
    expect([recent.get('a'), recent.get('b'), recent.get('c')]).toEqual([undefined, 1, undefined])
    recent.delete('b')
    expect(recent.size).toBe(0)
  })
})
