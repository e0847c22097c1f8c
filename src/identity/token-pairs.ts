import { createHash, randomBytes } from 'node:crypto'
import type { Logger } from '#kernel/logger'
import { digest } from '#kernel/seal'
import type { RefreshFamily, RefreshStore, RevocationStore } from './refresh-families.ts'
import { unauthenticated } from './refusal.ts'
import type { Tokens } from './tokens.ts'
import type { User, UserStore } from './users.ts'

const PREFIX = 'mmrt_'
/** What all tokens of a family begin with, and what each has of its own. */
const HANDLE_BYTES = 16
const SECRET_BYTES = 32
const SHAPE = /^mmrt_[\w-]{64}$/
/** Access tokens may be accepted so much longer where a clock is slow. */
const CLOCK_SKEW_MS = 60_000
/** However much a login is used, its access tokens are extended no further. */
const EXTENDED_MS_MAX = 12 * 3_600_000

interface TokenPair {
  readonly accessToken: string
  readonly refreshToken: string
  /** Of the access token. */
  readonly expiresInSeconds: number
}

/** Access and refresh tokens from login to logout. */
export interface TokenPairs {
  /** For a user who has just proved to be it. */
  open(user: User): Promise<TokenPair>
  /**
   * A new pair for the refresh token, which is used up. One that was used up before is stolen or was: its family dies, access
   * tokens included. Of two at once one wins, the other is refused, and the family lives.
   */
  renew(refreshToken: string): Promise<TokenPair>
  /**
   * The access token after this one, for a login that is in use and has no refresh token to show. Undefined while more than half of
   * this one is left, when its family is dead, and when the next would outlive 12 hours since the login.
   */
  extend(accessToken: string): Promise<Omit<TokenPair, 'refreshToken'> | undefined>
  /** Ends the family of the access token and the token itself, durable before it resolves. */
  end(accessToken: string): Promise<void>
}

export interface TokenPairDeps {
  readonly tokens: Tokens
  readonly families: RefreshStore
  readonly revocations: RevocationStore
  readonly users: Pick<UserStore, 'find'>
  /** How long a refresh token may lie unused. */
  readonly refreshLifetimeMs: number
  readonly log: Logger
  /** Told of every family that died before its time, once that is durable. */
  withdrawn(familyId: string): void
  /** Epoch milliseconds. */
  now(): number
}

export function createTokenPairs(deps: TokenPairDeps): TokenPairs {
  const { tokens, families, users, refreshLifetimeMs, log, now } = deps
  const accessTo = async ({ userId: sub, epoch, id: family }: RefreshFamily) => {
    const { token: accessToken, expiresInSeconds } = await tokens.issue({ sub, epoch, family })
    return { accessToken, expiresInSeconds }
  }
  const pairOf = async (family: RefreshFamily, refreshToken: string): Promise<TokenPair> => {
    return { ...(await accessTo(family)), refreshToken }
  }
  return {
    async open({ id: userId, tokenEpoch: epoch }) {
      const token = mint(randomBytes(HANDLE_BYTES))
      const at = now()
      const times = { startedAt: at, renewedAt: at, expiresAt: at + refreshLifetimeMs }
      const family = { id: token.familyId, userId, epoch, tokenHash: token.hash, ...times }
      await families.insert(family)
      return pairOf(family, token.text)
    },
    async renew(refreshToken) {
      const presented = parse(refreshToken)
      const family = presented && (await families.find(presented.familyId))
      if (!presented || !family || family.expiresAt <= now()) throw unauthenticated('no refresh token that is alive')
      if (family.tokenHash !== presented.hash) {
        await kill(family.id, [], deps)
        log.warn({ user: family.userId }, 'refresh token was used twice, its family is revoked')
        throw unauthenticated('the refresh token was used before')
      }
      const user = await users.find(family.userId)
      if (!user?.isActive || user.tokenEpoch !== family.epoch) {
        await families.delete(family.id)
        throw unauthenticated('the login has ended')
      }
      const next = mint(presented.handle)
      const times = { renewedAt: now(), expiresAt: now() + refreshLifetimeMs }
      const isWinner = await families.replace(presented.hash, { ...family, tokenHash: next.hash, ...times })
      if (!isWinner) throw unauthenticated('another request used the refresh token at the same time')
      return pairOf(family, next.text)
    },
    async extend(accessToken) {
      const claims = await tokens.verify(accessToken)
      if (claims.exp * 1000 - now() > tokens.lifetimeMs / 2) return undefined
      const family = await families.find(claims.family)
      const isOver = !family || now() + tokens.lifetimeMs > family.startedAt + EXTENDED_MS_MAX
      return isOver ? undefined : accessTo(family)
    },
    async end(accessToken) {
      const claims = await tokens.verify(accessToken)
      await kill(claims.family, [claims.jti], deps)
    },
  }
}

/** Revokes first: a failure in between leaves a family whose access tokens are dead, and who asks again ends that too. */
async function kill(familyId: string, others: readonly string[], deps: TokenPairDeps): Promise<void> {
  const expiresAt = deps.now() + deps.tokens.lifetimeMs + CLOCK_SKEW_MS
  await deps.revocations.add([familyId, ...others].map((id) => ({ id, expiresAt })))
  await deps.families.delete(familyId)
  deps.withdrawn(familyId)
}

interface RefreshToken {
  readonly text: string
  readonly handle: Buffer
  readonly familyId: string
  readonly hash: string
}

function mint(handle: Buffer): RefreshToken {
  return describe(PREFIX + Buffer.concat([handle, randomBytes(SECRET_BYTES)]).toString('base64url'), handle)
}

function parse(text: string): RefreshToken | undefined {
  if (!SHAPE.test(text)) return undefined
  return describe(text, Buffer.from(text.slice(PREFIX.length), 'base64url').subarray(0, HANDLE_BYTES))
}

/** The handle is as secret as the token: access tokens show only its hash, so that nobody can end a family with those. */
function describe(text: string, handle: Buffer): RefreshToken {
  const hash = createHash('sha256').update(text).digest('base64url')
  return { text, handle, familyId: digest(handle.toString('base64url')), hash }
}
