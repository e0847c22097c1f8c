import { describe, expect, test } from 'vitest'
import { MINUTE, PASSWORD, identityStage, type IdentityStage } from '../../test/support/identity-stage.ts'

const DAY = 86_400_000
const REFUSED = { code: 'authentication_error', message: 'The credential is missing, wrong or no longer valid' }

async function loggedIn(t: IdentityStage, roles = ['user']) {
  const user = await t.identity.users.register({ username: 'ann', password: PASSWORD, roles })
  return { user, pair: await t.identity.pairs.open(user) }
}

const authenticated = async (t: IdentityStage, token: string, identity = t.identity) => identity.authenticate(token, {})

describe('refresh tokens', () => {
  test('R032 a refresh token gives a new pair, and the old one is dead', async () => {
    await using t = await identityStage()
    const { user, pair } = await loggedIn(t)
    expect(pair).toMatchObject({
      expiresInSeconds: 1800,
      refreshToken: expect.stringMatching(/^mmrt_[\w-]{64}$/) as unknown,
    })
    const next = await t.identity.pairs.renew(pair.refreshToken)
    expect(next.refreshToken).not.toBe(pair.refreshToken)
    expect(next.accessToken).not.toBe(pair.accessToken)
    expect(await authenticated(t, next.accessToken)).toMatchObject({ id: user.id })
    await expect(t.identity.pairs.renew(pair.refreshToken)).rejects.toMatchObject(REFUSED)
  })

  test('R032 R141 A16 whoever uses one twice ends the whole family, its access tokens at once', async () => {
    await using t = await identityStage()
    const { pair } = await loggedIn(t)
    const second = await t.identity.pairs.renew(pair.refreshToken)
    const third = await t.identity.pairs.renew(second.refreshToken)
    expect(await authenticated(t, third.accessToken)).toBeDefined()
    await expect(t.identity.pairs.renew(pair.refreshToken)).rejects.toMatchObject(REFUSED)
    await expect(t.identity.pairs.renew(third.refreshToken)).rejects.toMatchObject(REFUSED)
    for (const { accessToken } of [pair, second, third]) {
      await expect(authenticated(t, accessToken)).rejects.toMatchObject(REFUSED)
    }
    expect(t.log).toContainEqual(
      expect.objectContaining({ phrase: 'refresh token was used twice, its family is revoked' }),
    )
  })

  test('A16 leaves the other logins of the user alone', async () => {
    await using t = await identityStage()
    const { user, pair } = await loggedIn(t)
    const other = await t.identity.pairs.open(user)
    await t.identity.pairs.renew(pair.refreshToken)
    await expect(t.identity.pairs.renew(pair.refreshToken)).rejects.toMatchObject(REFUSED)
    expect(await authenticated(t, other.accessToken)).toMatchObject({ id: user.id })
    await t.identity.pairs.renew(other.refreshToken)
  })

  test('A17 of parallel uses one wins, the others are refused, and the family lives', async () => {
    await using t = await identityStage()
    const { pair } = await loggedIn(t)
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => t.identity.pairs.renew(pair.refreshToken)),
    )
    const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    expect(won).toHaveLength(1)
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject(REFUSED)
    await t.identity.pairs.renew(won[0]?.refreshToken ?? '')
  })

  test('R032 die after fourteen days without use, and live on with it', async () => {
    await using t = await identityStage()
    const { user, pair } = await loggedIn(t)
    const unused = await t.identity.pairs.open(user)
    t.pass(13 * DAY)
    const next = await t.identity.pairs.renew(pair.refreshToken)
    t.pass(DAY)
    await expect(t.identity.pairs.renew(unused.refreshToken)).rejects.toMatchObject(REFUSED)
    t.pass(12 * DAY)
    await t.identity.pairs.renew(next.refreshToken)
  })

  test.each([
    ['nothing', () => ''],
    ['an access token', (pair: { accessToken: string }) => pair.accessToken],
    ['one that nobody has', () => `mmrt_${'A'.repeat(64)}`],
    ['an API key', () => `mmcp_${'A'.repeat(43)}`],
    ['without the prefix', (pair: { refreshToken: string }) => pair.refreshToken.slice(5)],
    ['cut short', (pair: { refreshToken: string }) => pair.refreshToken.slice(0, -1)],
    ['with a blank', (pair: { refreshToken: string }) => `${pair.refreshToken} `],
    ['a megabyte', () => 'mmrt_'.repeat(200_000)],
  ])('R032 %s is no refresh token, and ends nothing', async (_, made) => {
    await using t = await identityStage()
    const { pair } = await loggedIn(t)
    await expect(t.identity.pairs.renew(made(pair))).rejects.toMatchObject(REFUSED)
    await t.identity.pairs.renew(pair.refreshToken)
  })

  test('A10 a refresh token is no access token', async () => {
    await using t = await identityStage()
    const { pair } = await loggedIn(t)
    await expect(authenticated(t, pair.refreshToken)).rejects.toMatchObject(REFUSED)
  })

  test('E3 neither they nor what they can be made from is stored or shown in access tokens', async () => {
    await using t = await identityStage()
    const { pair } = await loggedIn(t)
    const claims = JSON.parse(Buffer.from(pair.accessToken.split('.')[1] ?? '', 'base64url').toString()) as {
      family: string
    }
    const stored = JSON.stringify(await t.storage.identity.families.find(claims.family))
    const text = pair.refreshToken.slice(5)
    for (const secret of [pair.refreshToken, text, text.slice(0, 21)]) {
      expect(stored).toContain(claims.family)
      expect(stored).not.toContain(secret)
      expect(JSON.stringify(claims)).not.toContain(secret)
    }
  })
})

describe('what ends a login ends it at once', () => {
  test.each<[string, (t: IdentityStage, id: string, token: string) => Promise<unknown>]>([
    ['R031 R142 A11 logout', (t, _, token) => t.identity.pairs.end(token)],
    ['A11 another password', (t, id) => t.identity.users.change(id, { password: 'another long password' })],
    ['R063 A11 deactivation', (t, id) => t.identity.users.change(id, { isActive: false })],
    ['A11 removal', (t, id) => t.identity.users.remove(id)],
  ])('%s: for tokens that were just used, on this gateway and within a second on another', async (_, end) => {
    await using t = await identityStage()
    const other = t.another({ isShared: true })
    const { user, pair } = await loggedIn(t)
    const next = await t.identity.pairs.renew(pair.refreshToken)
    for (const { accessToken } of [pair, next]) {
      await authenticated(t, accessToken)
      await authenticated(t, accessToken, other)
    }
    await end(t, user.id, next.accessToken)
    for (const { accessToken } of [pair, next])
      await expect(authenticated(t, accessToken)).rejects.toMatchObject(REFUSED)
    t.pass(1000)
    for (const { accessToken } of [pair, next]) {
      await expect(authenticated(t, accessToken, other)).rejects.toMatchObject(REFUSED)
    }
    await expect(t.identity.pairs.renew(next.refreshToken)).rejects.toMatchObject(REFUSED)
    expect(t.withdrawn).toHaveLength(1)
  })

  test('R031 a restart keeps a logout', async () => {
    await using t = await identityStage()
    const { pair } = await loggedIn(t)
    await t.identity.pairs.end(pair.accessToken)
    const restarted = t.another()
    await expect(authenticated(t, pair.accessToken, restarted)).rejects.toMatchObject(REFUSED)
    await expect(restarted.pairs.renew(pair.refreshToken)).rejects.toMatchObject(REFUSED)
  })

  test('R142 a revocation is kept until the tokens have expired by themselves, and then goes', async () => {
    await using t = await identityStage()
    const { user, pair } = await loggedIn(t)
    t.pass(29 * MINUTE)
    await t.identity.pairs.end(pair.accessToken)
    const { revocations } = t.storage.identity
    const { family } = JSON.parse(Buffer.from(pair.accessToken.split('.')[1] ?? '', 'base64url').toString()) as {
      family: string
    }
    t.pass(30 * MINUTE)
    await t.identity.prune()
    expect(await revocations.has([family])).toBe(true)
    t.pass(2 * MINUTE)
    await t.identity.prune()
    expect(await revocations.has([family])).toBe(false)
    expect(await t.identity.pairs.open(user)).toBeDefined()
  })

  test('R031 logging out twice, or with an expired token, does no harm', async () => {
    await using t = await identityStage()
    const { user, pair } = await loggedIn(t)
    const other = await t.identity.pairs.open(user)
    await t.identity.pairs.end(pair.accessToken)
    await t.identity.pairs.end(pair.accessToken)
    expect(await authenticated(t, other.accessToken)).toBeDefined()
    t.pass(30 * MINUTE)
    await expect(t.identity.pairs.end(other.accessToken)).rejects.toMatchObject(REFUSED)
  })

  test('a token of before is refused also by who was never told, and one of after is good', async () => {
    await using t = await identityStage()
    const { user, pair } = await loggedIn(t)
    await t.storage.identity.users.update(user.id, (before) => ({ ...before, tokenEpoch: 1 }))
    await expect(authenticated(t, pair.accessToken)).rejects.toMatchObject(REFUSED)
    const again = await t.identity.pairs.open(await t.identity.users.find(user.id))
    expect(await authenticated(t, again.accessToken)).toMatchObject({ id: user.id })
  })
})

describe('a login that is in use', () => {
  const HALF = 15 * MINUTE

  test('has its access token extended in the second half of its life, the one before stays good until it ends', async () => {
    await using t = await identityStage()
    const { user, pair } = await loggedIn(t)
    t.pass(HALF - MINUTE)
    expect(await t.identity.pairs.extend(pair.accessToken)).toBeUndefined()
    t.pass(MINUTE)
    const next = await t.identity.pairs.extend(pair.accessToken)
    expect(next).toMatchObject({ expiresInSeconds: 1800 })
    t.pass(HALF - MINUTE)
    expect(await authenticated(t, pair.accessToken)).toMatchObject({ id: user.id })
    t.pass(2 * MINUTE)
    await expect(t.identity.pairs.extend(pair.accessToken)).rejects.toMatchObject(REFUSED)
    expect(await authenticated(t, next?.accessToken ?? '')).toMatchObject({ id: user.id })
  })

  /** A stolen cookie is not good for ever. */
  test('ends 12 hours after it began, however much it is used', async () => {
    await using t = await identityStage()
    const { pair } = await loggedIn(t)
    const from = t.now()
    let token: string | undefined = pair.accessToken
    let last = token
    while (token !== undefined) {
      last = token
      t.pass(20 * MINUTE)
      token = (await t.identity.pairs.extend(token))?.accessToken
    }
    expect((t.now() - from) / MINUTE).toBeGreaterThan(11 * 60)
    t.pass(12 * 60 * MINUTE - (t.now() - from))
    await expect(authenticated(t, last)).rejects.toMatchObject(REFUSED)
  })

  test('is not extended after it was ended, nor with a token of before another password', async () => {
    await using t = await identityStage()
    const { user, pair } = await loggedIn(t)
    const other = await t.identity.pairs.open(user)
    t.pass(20 * MINUTE)
    const next = await t.identity.pairs.extend(pair.accessToken)
    await t.identity.pairs.end(pair.accessToken)
    expect(await t.identity.pairs.extend(pair.accessToken)).toBeUndefined()
    await expect(authenticated(t, next?.accessToken ?? '')).rejects.toMatchObject(REFUSED)
    await t.identity.users.change(user.id, { password: 'a completely new password' })
    const extended = await t.identity.pairs.extend(other.accessToken)
    await expect(authenticated(t, extended?.accessToken ?? '')).rejects.toMatchObject(REFUSED)
  })
})
