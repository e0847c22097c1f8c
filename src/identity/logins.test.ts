import { hashSync as bcryptHashSync } from 'bcryptjs'
import { describe, expect, test } from 'vitest'
import type { AppError } from '#kernel/errors'
import { createPasswords } from './passwords.ts'
import { identityStage, type IdentityStage, MINUTE, PASSWORD } from '../../test/support/identity-stage.ts'

const ORIGIN = { ip: '192.0.2.7', agent: 'curl/8' }
const ALL = { limit: 100, offset: 0 }
const WRONG = 'not the password'

async function withAnn(t: IdentityStage) {
  return t.identity.users.register({ username: 'ann', password: PASSWORD, roles: ['user'] })
}

/** The error of a login that must fail. */
async function refusal(t: IdentityStage, username = 'ann', password = WRONG, origin = ORIGIN): Promise<AppError> {
  return t.identity.logins.login(username, password, origin).then(
    () => Promise.reject(new Error('logged in')),
    (error: unknown) => error as AppError,
  )
}

async function fail(t: IdentityStage, times: number, username = 'ann'): Promise<void> {
  for (let count = 0; count < times; count += 1) {
    expect(await refusal(t, username)).toMatchObject({ code: 'authentication_error' })
  }
}

describe('a login', () => {
  test('R030 with the right password is answered with the user, in any case of the username', async () => {
    await using t = await identityStage()
    const ann = await withAnn(t)
    expect(await t.identity.logins.login('ANN', PASSWORD, ORIGIN)).toEqual(ann)
  })

  test('R030 A13 is refused alike for a wrong password, an unknown user and an inactive one', async () => {
    await using t = await identityStage()
    await withAnn(t)
    const { id } = await t.identity.users.register({ username: 'bob', password: PASSWORD, roles: [] })
    await t.identity.users.change(id, { isActive: false })
    const refusals = [
      await refusal(t),
      await refusal(t, 'nobody'),
      await refusal(t, 'bob', PASSWORD),
      await refusal(t, "' or 1=1 --", PASSWORD),
      await refusal(t, 'x'.repeat(1_000_000), PASSWORD),
      await refusal(t, 'ann', 'x'.repeat(1_000_000)),
    ]
    const [first] = refusals
    expect(first).toMatchObject({ code: 'authentication_error', message: 'The username or the password is wrong' })
    const shown = refusals.map(({ code, message, details }) => JSON.stringify([code, message, details]))
    expect(new Set(shown).size).toBe(1)
  })

  test('A13 of an unknown user costs the same work as one with a wrong password', async () => {
    await using t = await identityStage()
    const ann = await withAnn(t)
    let hashed = 0
    const passwords = createPasswords({ run: (work) => ((hashed += 1), work()) })
    const msOf = async (hash: string | undefined, password: string): Promise<number> => {
      const start = performance.now()
      expect(await passwords.verify(password, hash)).toBe('wrong')
      return performance.now() - start
    }
    // In turns, and the best of each: what else the machine does slows some rounds, never all of one kind.
    const best = { known: Infinity, unknown: Infinity }
    for (const password of Array.from({ length: 15 }, () => [WRONG, 'x'.repeat(100_000), '']).flat()) {
      best.known = Math.min(best.known, await msOf(ann.passwordHash, password))
      best.unknown = Math.min(best.unknown, await msOf(undefined, password))
    }
    expect(hashed).toBe(90)
    expect(best.unknown / best.known).toBeGreaterThan(0.7)
    expect(best.unknown / best.known).toBeLessThan(1.4)
  })

  test('R143 with a hash of bcrypt replaces it by argon2id, and ends nothing', async () => {
    await using t = await identityStage()
    const { id } = await withAnn(t)
    const passwordHash = bcryptHashSync(PASSWORD, 4)
    await t.storage.identity.users.update(id, (user) => ({ ...user, passwordHash }))
    await t.identity.logins.login('ann', PASSWORD, ORIGIN)
    const upgraded = await t.identity.users.find(id)
    expect(upgraded.passwordHash).toMatch(/^\$argon2id\$/)
    expect(upgraded.tokenEpoch).toBe(0)
    expect(await t.identity.logins.login('ann', PASSWORD, ORIGIN)).toEqual(upgraded)
    expect((await refusal(t)).code).toBe('authentication_error')
  })

  test('an upgrade does not undo a password that was set meanwhile', async () => {
    await using t = await identityStage()
    const { id } = await withAnn(t)
    await t.storage.identity.users.update(id, (user) => ({ ...user, passwordHash: bcryptHashSync(PASSWORD, 4) }))
    const other = 'a completely new password'
    await Promise.all([
      t.identity.logins.login('ann', PASSWORD, ORIGIN),
      t.identity.users.change(id, { password: other }),
    ])
    expect(await t.identity.logins.login('ann', other, ORIGIN)).toMatchObject({ id, tokenEpoch: 1 })
  })

  test('E1 leaves neither the password nor what was typed as username in log or history', async () => {
    await using t = await identityStage()
    const ann = await withAnn(t)
    await refusal(t, 'canary-in-the-wrong-field', 'canary-as-password')
    await refusal(t, 'ann', 'canary-as-password')
    const { logins } = await t.identity.logins.history(ann.id, ALL)
    expect(t.log.length).toBeGreaterThan(0)
    expect(JSON.stringify([t.log, logins])).not.toContain('canary')
  })
})

describe('the history', () => {
  test('R064 lists successes and failures with time, address and agent, newest first', async () => {
    await using t = await identityStage()
    const { id } = await withAnn(t)
    const start = t.now()
    await t.identity.logins.login('ann', PASSWORD, ORIGIN)
    t.pass(1000)
    await refusal(t)
    t.pass(1000)
    await t.identity.users.change(id, { isActive: false })
    await refusal(t, 'ann', PASSWORD, { ip: '2001:db8::1', agent: 'x'.repeat(5000) })
    expect(await t.identity.logins.history(id, ALL)).toMatchObject({
      logins: [
        { outcome: 'inactive', at: start + 2000, ip: '2001:db8::1', agent: 'x'.repeat(256) },
        { outcome: 'wrong_password', at: start + 1000, ...ORIGIN },
        { outcome: 'success', at: start, ...ORIGIN },
      ],
      total: 3,
    })
    expect((await t.identity.logins.history(id, { limit: 1, offset: 1 })).logins).toMatchObject([
      { outcome: 'wrong_password' },
    ])
  })

  test('R064 forgets what is older than 90 days', async () => {
    await using t = await identityStage()
    const { id } = await withAnn(t)
    await t.identity.logins.login('ann', PASSWORD, ORIGIN)
    t.pass(91 * 86_400_000)
    await t.identity.logins.login('ann', PASSWORD, ORIGIN)
    await t.identity.prune()
    expect(await t.identity.logins.history(id, ALL)).toMatchObject({ total: 1, logins: [{ at: t.now() }] })
  })
})

describe('a lockout', () => {
  const LOCKED = { code: 'rate_limited', status: 429 }
  test('A13 waits after five failures for a second, and twice as long after each further one, up to 15 minutes', async () => {
    await using t = await identityStage()
    await withAnn(t)
    await fail(t, 5)
    const waits: unknown[] = []
    for (let round = 0; round < 12; round += 1) {
      const locked = await refusal(t, 'ann', PASSWORD)
      expect(locked).toMatchObject(LOCKED)
      waits.push(locked.details['retry_after'])
      t.pass(Number(locked.details['retry_after']) * 1000)
      await fail(t, 1)
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900])
  })

  test('A13 does not tell who exists: it comes for an unknown user just as soon', async () => {
    await using t = await identityStage()
    await withAnn(t)
    await fail(t, 5)
    await fail(t, 5, 'nobody')
    const [known, unknown] = [await refusal(t), await refusal(t, 'nobody')]
    expect(known).toMatchObject(LOCKED)
    expect([unknown.code, unknown.message, unknown.details]).toEqual([known.code, known.message, known.details])
  })

  test('A13 cannot be passed by writing the username otherwise', async () => {
    await using t = await identityStage()
    await withAnn(t)
    for (const username of ['ann', 'Ann', 'ANN', 'aNn', 'anN']) await fail(t, 1, username)
    expect(await refusal(t, 'AnN', PASSWORD)).toMatchObject(LOCKED)
  })

  test('A13 cannot be passed by guessing many at once: the right password among them is refused too', async () => {
    await using t = await identityStage()
    await withAnn(t)
    const guesses = Array.from({ length: 30 }, (_, index) => refusal(t, 'ann', `guess number ${index}`))
    const right = refusal(t, 'ann', PASSWORD)
    const codes = (await Promise.all(guesses)).map(({ code }) => code)
    expect(codes.filter((code) => code === 'authentication_error')).toHaveLength(5)
    expect(await right).toMatchObject(LOCKED)
  })

  test('waits on while nobody tries, is over after its time, and a success forgives the account', async () => {
    await using t = await identityStage()
    await withAnn(t)
    await fail(t, 5)
    t.pass(999)
    expect(await refusal(t, 'ann', PASSWORD)).toMatchObject({ details: { retry_after: 1 } })
    t.pass(1)
    await t.identity.logins.login('ann', PASSWORD, ORIGIN)
    await fail(t, 5)
    expect(await refusal(t)).toMatchObject({ details: { retry_after: 1 } })
  })

  test('D7 costs no hashing: who is locked out cannot keep the gateway busy', async () => {
    let hashed = 0
    const run = <T>(work: () => Promise<T>): Promise<T> => ((hashed += 1), work())
    await using t = await identityStage({ lane: { run } })
    await withAnn(t)
    await fail(t, 5)
    const before = hashed
    expect(await refusal(t)).toMatchObject(LOCKED)
    expect(hashed).toBe(before)
  })

  test('of one account leaves the others alone', async () => {
    await using t = await identityStage()
    await withAnn(t)
    await fail(t, 5, 'bob')
    expect(await t.identity.logins.login('ann', PASSWORD, ORIGIN)).toMatchObject({ username: 'ann' })
  })

  test.each([
    ['one IPv4 address', () => '192.0.2.7', () => '::ffff:192.0.2.7', '192.0.2.8'],
    ['one IPv6 network', (n: number) => `2001:db8:0:1::${n}`, () => '2001:0db8::1:ffff:0:0:1', '2001:db8:0:2::1'],
  ])(
    'A13 of %s comes after thirty failures with any usernames, and a good login does not buy it off',
    async (_, ...of) => {
      const [addresses, same, other] = of
      await using t = await identityStage()
      await withAnn(t)
      for (let count = 0; count < 30; count += 1) {
        await refusal(t, `user${count}`, WRONG, { ...ORIGIN, ip: addresses(count) })
        if (count === 20) await t.identity.logins.login('ann', PASSWORD, { ip: addresses(count) })
      }
      expect(await refusal(t, 'ann', PASSWORD, { ...ORIGIN, ip: same() })).toMatchObject(LOCKED)
      expect(await t.identity.logins.login('ann', PASSWORD, { ip: other })).toMatchObject({ username: 'ann' })
    },
  )

  test('is forgotten an hour after the last failure', async () => {
    await using t = await identityStage()
    await withAnn(t)
    await fail(t, 5)
    t.pass(60 * MINUTE)
    await fail(t, 5)
    expect(await refusal(t)).toMatchObject({ details: { retry_after: 1 } })
  })

  test('R064 refused attempts are no row of the history: nobody fills the disk with them', async () => {
    await using t = await identityStage()
    const { id } = await withAnn(t)
    await fail(t, 5)
    for (let count = 0; count < 20; count += 1) await refusal(t)
    expect(await t.identity.logins.history(id, ALL)).toMatchObject({ total: 5 })
  })
})
