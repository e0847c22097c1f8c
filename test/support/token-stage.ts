import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { type SigningAlgorithm, type SigningKey, signingKeyOf } from '#identity/signing-keys'
import { createTokens, type TokenDeps, type Tokens } from '#identity/tokens'
import { uuidv7 } from '#kernel/ids'
import { MINUTE, NOON, SECRET } from './identity-stage.ts'

export const ISSUER = 'https://gateway.test'
export const AUDIENCE = 'https://gateway.test/mcp'
export const SUBJECT = { sub: 'u1', epoch: 3, family: 'f1' }
export const NOON_SECONDS = NOON / 1000

export const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()
export const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey
export const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
export const PEMS: Record<string, string> = {
  RS: pem(RSA),
  PS: pem(RSA),
  ES256: pem(ec('P-256')),
  ES384: pem(ec('P-384')),
  ES512: pem(ec('P-521')),
  EdDSA: pem(generateKeyPairSync('ed25519').privateKey),
}
const pemFor = (algorithm: SigningAlgorithm) => PEMS[algorithm] ?? PEMS[algorithm.slice(0, 2)]
export const keyFor = (algorithm: SigningAlgorithm, secret = SECRET) =>
  signingKeyOf({ algorithm, secret, pem: pemFor(algorithm) })

interface TokenStage {
  readonly tokens: Tokens
  readonly key: SigningKey
  /** Lets time pass. */
  pass(ms: number): void
}

/** Tokens at noon, signed with HS256 unless a key is given. */
export async function tokenStage(changes: Partial<TokenDeps> = {}): Promise<TokenStage> {
  let at = NOON
  const key = changes.key ?? (await keyFor('HS256'))
  const deps = { issuer: ISSUER, audience: AUDIENCE, lifetimeMs: 30 * MINUTE, key, newId: uuidv7, now: () => at }
  const tokens = createTokens({ ...deps, ...changes })
  return { tokens, key, pass: (ms: number) => void (at += ms) }
}

export const REFUSED = { code: 'authentication_error', message: 'The credential is missing, wrong or no longer valid' }
