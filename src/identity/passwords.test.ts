import { hashSync as argon2HashSync } from '@node-rs/argon2'
import { hashSync as bcryptHashSync } from 'bcryptjs'
import { describe, expect, test } from 'vitest'
import { AppError } from '#kernel/errors'
import { createBulkhead } from '#resilience/bulkhead'
import { passwordProblem } from './password-rules.ts'
import { createPasswords, HASHING_LIMITS } from './passwords.ts'

/** A busy machine may hash slowly. */
const PATIENT = { ...HASHING_LIMITS, waitMsMax: 600_000 }
const passwords = createPasswords(createBulkhead(PATIENT))
const PASSWORD = 'correct horse battery'
const bcryptOf = (password: string) => bcryptHashSync(password, 4)

describe('the rules', () => {
  test.each([
    ['11 characters', 'a'.repeat(11)],
    ['nothing', ''],
    ['11 characters of two UTF-16 units each', '𝒜'.repeat(11)],
    ['129 characters', 'ab1'.repeat(43)],
    ['megabytes', 'x'.repeat(5_000_000)],
    ['half a surrogate pair, of which another half is the same bytes', 'twelve chars \ud83d'],
  ])('R143 a password of %s is refused and not repeated', async (_, password) => {
    const problem = passwordProblem(password)
    expect(problem).toMatch(/^A password /)
    if (password !== '') expect(problem).not.toContain(password)
    await expect(passwords.hash(password)).rejects.toMatchObject({
      code: 'validation_error',
      details: { field: 'password' },
    })
  })

  test.each([
    ['12 characters', 'a'.repeat(12)],
    ['12 characters of two UTF-16 units each', '𝒜'.repeat(12)],
    ['128 characters', 'ab'.repeat(64)],
    ['128 characters of four bytes each', '😀'.repeat(128)],
    ['any characters', ' \0\t"\'\\ пароль 密码 '],
  ])('a password of %s is allowed and right', async (_, password) => {
    const hash = await passwords.hash(password)
    expect(await passwords.verify(password, hash)).toBe('right')
    expect(await passwords.verify(`${password.slice(0, -1)}X`, hash)).toBe('wrong')
  })
})

describe('hashes of today', () => {
  test('R143 are argon2id at the cost that OWASP names, with a salt each', async () => {
    const [one, other] = [await passwords.hash(PASSWORD), await passwords.hash(PASSWORD)]
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
    expect(one).not.toBe(other)
    expect(one).not.toContain(PASSWORD)
  })

  test.each([72, 80, 127])(
    'R143 two passwords with the first %i characters in common are different',
    async (length) => {
      const start = 'x'.repeat(length)
      const hash = await passwords.hash(`${start}1`)
      expect(await passwords.verify(`${start}1`, hash)).toBe('right')
      for (const other of [`${start}2`, start, `${start}11`]) expect(await passwords.verify(other, hash)).toBe('wrong')
    },
  )

  test('an accented letter is the same whether a keyboard writes it as one code point or as two', async () => {
    const hash = await passwords.hash('caf\u00e9 au lait, s.v.p.')
    expect(await passwords.verify('cafe\u0301 au lait, s.v.p.', hash)).toBe('right')
  })

  test('of another cost are right and to be replaced', async () => {
    const cheap = argon2HashSync(PASSWORD, { memoryCost: 1024, timeCost: 1 })
    expect(await passwords.verify(PASSWORD, cheap)).toBe('outdated')
    expect(await passwords.verify('another password', cheap)).toBe('wrong')
  })
})

describe('hashes of bcrypt', () => {
  test.each(['a', 'b', 'y'])('R143 of the form $2%s$ are verified and to be replaced', async (version) => {
    const hash = bcryptOf(PASSWORD).replace(/^\$2.\$/, `$2${version}$`)
    expect(await passwords.verify(PASSWORD, hash)).toBe('outdated')
    expect(await passwords.verify(`${PASSWORD}!`, hash)).toBe('wrong')
  })

  test('R143 of a password beyond 72 bytes nobody gets in: bcrypt cannot tell it from those that begin alike', async () => {
    const start = 'x'.repeat(72)
    const hash = bcryptOf(`${start} and the rest`)
    for (const password of [`${start} and the rest`, `${start} and another`, `${start}1`]) {
      expect(await passwords.verify(password, hash)).toBe('wrong')
    }
    const umlauts = 'ü'.repeat(36)
    expect(await passwords.verify(`${umlauts}ü`, bcryptOf(umlauts))).toBe('wrong')
    expect(await passwords.verify(umlauts, bcryptOf(umlauts))).toBe('outdated')
  })

  test('R143 a NUL, at which bcrypt begins anew, makes no second password', async () => {
    const hash = bcryptOf('password')
    expect(await passwords.verify('password\0password', hash)).toBe('wrong')
    expect(await passwords.verify('password', hash)).toBe('outdated')
  })

  test('of a cost that would hold a thread for minutes are of no password', async () => {
    expect(await passwords.verify(PASSWORD, bcryptOf(PASSWORD).replace('$04$', '$31$'))).toBe('wrong')
  })
})

test.each([
  ['no hash', undefined],
  ['an empty hash', ''],
  ['the password itself', PASSWORD],
  ['a broken hash', '$argon2id$v=19$m=19456'],
  ['a foreign hash', '$6$salt$hash'],
])('nobody gets in by %s', async (_, hash) => {
  expect(await passwords.verify(PASSWORD, hash)).toBe('wrong')
  expect(await passwords.verify('', hash)).toBe('wrong')
})

/** Keeps the lane closed until it is opened. */
function closedLane() {
  const lane = createBulkhead(PATIENT)
  const gate = Promise.withResolvers<void>()
  return { lane, open: gate.resolve, opened: gate.promise }
}

/** How often the event loop came round while `work` ran: in hashing on the loop it would wait for each hash. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0
  let isOver = false
  const turn = (): void => {
    turns += 1
    if (!isOver) setImmediate(turn)
  }
  turn()
  await work.finally(() => (isOver = true))
  return turns
}

describe('a flood', () => {
  test.each(['overloaded', 'timeout'] as const)(
    'D7 a lane that says %s makes it overloaded, with the time to come back',
    async (code) => {
      const full = createPasswords({ run: () => Promise.reject(new AppError(code, 'full')) })
      for (const work of [full.verify(PASSWORD, undefined), full.hash(PASSWORD)]) {
        await expect(work).rejects.toMatchObject({ code: 'overloaded', status: 503, details: { retry_after: 2 } })
      }
    },
  )

  test('D7 of more than a hundred that wait is refused, with the time to come back', async () => {
    const { lane, open, opened } = closedLane()
    const flooded = createPasswords({ run: (work, signal) => lane.run(() => opened.then(work), signal) })
    const results = Array.from({ length: 200 }, () =>
      flooded.verify(PASSWORD, undefined).then(String, (error: unknown) => error),
    )
    const refused = await Promise.all(results.slice(102))
    expect([lane.running, lane.waiting]).toEqual([2, 100])
    for (const error of refused) {
      expect(error).toMatchObject({ code: 'overloaded', details: { retry_after: 2 } })
    }
    open()
    expect(await Promise.all(results.slice(0, 102))).toEqual(Array.from({ length: 102 }, () => 'wrong'))
  })

  test('D7 of 200 parallel logins leaves the event loop to others', async () => {
    const attempts = Array.from({ length: 200 }, () => passwords.verify(PASSWORD, undefined).catch(() => 'refused'))
    expect(await turnsDuring(Promise.all(attempts))).toBeGreaterThan(2_000)
    expect((await Promise.all(attempts)).filter((verdict) => verdict === 'refused')).toHaveLength(98)
  })

  test('D7 a hash of bcrypt is computed in another thread', async () => {
    const hash = bcryptHashSync(PASSWORD, 11)
    expect(await turnsDuring(passwords.verify(PASSWORD, hash))).toBeGreaterThan(500)
  })
})
