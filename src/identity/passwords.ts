import { randomBytes } from 'node:crypto'
import { hash as argon2Hash, parseOptions, verify as argon2Verify } from '@node-rs/argon2'
import { Cancellation, type CancelSignal } from '#kernel/cancellation'
import { AppError, ValidationError } from '#kernel/errors'
import { bcryptMatches, isBcryptHash } from './bcrypt.ts'
import { isPlausible, passwordProblem } from './password-rules.ts'

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. The package's own algorithm is argon2id. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 } as const
const RETRY_AFTER_SECONDS = 2

/**
 * How much hashing there may be: two at a time leave the machine's other cores, and half of libuv's four threads, to calls;
 * a hundred that wait are served within a second or two.
 */
export const HASHING_LIMITS = { limit: 2, queueMax: 100, waitMsMax: 10_000, name: 'password hashing' } as const

/** Lets only so many happen at once; rejects with `overloaded` or `timeout`. The bulkhead of `resilience` is one. */
export interface Lane {
  run<T>(work: () => Promise<T>, signal: CancelSignal): Promise<T>
}

/** `outdated`: right, and the hash should be replaced by one of today's. */
type PasswordVerdict = 'right' | 'outdated' | 'wrong'

/** Hashes off the event loop, in the lane. Rejects with `overloaded` when too many wait. */
export interface Passwords {
  /** argon2id in PHC form. Rejects with a ValidationError for a password that breaks the rules. */
  hash(password: string): Promise<string>
  /** The same for a password that came before the rules. */
  rehash(password: string): Promise<string>
  /** Without a hash it does the same work for `wrong`, so that time does not tell who exists. */
  verify(password: string, hash: string | undefined): Promise<PasswordVerdict>
}

export function createPasswords(lane: Lane): Passwords {
  const decoy = decoyHash()
  const inLane = <T>(work: () => Promise<T>): Promise<T> =>
    lane.run(work, new Cancellation()).catch((thrown: unknown) => {
      throw isFull(thrown) ? tooMany(thrown) : thrown
    })
  const rehash = (password: string): Promise<string> => inLane(() => argon2Hash(normalised(password), COST))
  return {
    rehash,
    async hash(password) {
      const problem = passwordProblem(password)
      if (problem !== undefined) throw new ValidationError(problem, { field: 'password' })
      return rehash(password)
    },
    async verify(password, hash) {
      const presented = isPlausible(password) ? password : ''
      if (hash !== undefined && isBcryptHash(hash)) {
        return (await inLane(() => bcryptMatches(presented, hash))) ? 'outdated' : 'wrong'
      }
      const cost = hash === undefined ? undefined : costOf(hash)
      const compared = hash === undefined || cost === undefined ? decoy : hash
      const isRight = await inLane(() => argon2Verify(compared, normalised(presented)))
      if (!isRight) return 'wrong'
      return cost !== undefined && isCurrent(cost) ? 'right' : 'outdated'
    },
  }
}

/** One keyboard writes "é" as one code point, another as two. */
function normalised(password: string): string {
  return password.normalize('NFC')
}

/** A hash that no password has, of the form and cost of a real one. */
function decoyHash(): string {
  const { memoryCost, timeCost, parallelism, outputLen } = COST
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${randomBase64(16)}$${randomBase64(outputLen)}`
}

function randomBase64(bytes: number): string {
  return randomBytes(bytes).toString('base64').replaceAll('=', '')
}

type Cost = ReturnType<typeof parseOptions>

/** Undefined for what is no argon2id hash. */
function costOf(hash: string): Cost | undefined {
  if (!hash.startsWith('$argon2id$')) return undefined
  try {
    return parseOptions(hash)
  } catch {
    return undefined
  }
}

function isCurrent({ memoryCost, timeCost, parallelism, outputLen }: Cost): boolean {
  return (
    memoryCost === COST.memoryCost &&
    timeCost === COST.timeCost &&
    parallelism === COST.parallelism &&
    outputLen === COST.outputLen
  )
}

function isFull(thrown: unknown): boolean {
  return thrown instanceof AppError && (thrown.code === 'overloaded' || thrown.code === 'timeout')
}

function tooMany(cause: unknown): AppError {
  const details = { retry_after: RETRY_AFTER_SECONDS }
  return new AppError('overloaded', 'Too many passwords are being checked at once; try again shortly', {
    details,
    cause,
  })
}
