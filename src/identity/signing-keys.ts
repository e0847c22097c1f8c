import { createHmac, createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose'
import { ValidationError } from '#kernel/errors'

/** What each algorithm needs: RFC 7518 §3.2 asks for a secret as long as the hash. */
const ALGORITHMS = {
  HS256: { kind: 'secret', bytesMin: 32 },
  HS384: { kind: 'secret', bytesMin: 48 },
  HS512: { kind: 'secret', bytesMin: 64 },
  RS256: { kind: 'rsa' },
  RS384: { kind: 'rsa' },
  RS512: { kind: 'rsa' },
  PS256: { kind: 'rsa' },
  PS384: { kind: 'rsa' },
  PS512: { kind: 'rsa' },
  ES256: { kind: 'ec', curve: 'prime256v1' },
  ES384: { kind: 'ec', curve: 'secp384r1' },
  ES512: { kind: 'ec', curve: 'secp521r1' },
  EdDSA: { kind: 'ed25519' },
} as const
const RSA_BITS_MIN = 2048

export type SigningAlgorithm = keyof typeof ALGORITHMS
export const SIGNING_ALGORITHMS = Object.keys(ALGORITHMS) as SigningAlgorithm[]

/** A key that signs access tokens, or one that did until it was replaced. */
export interface SigningKey {
  readonly algorithm: SigningAlgorithm
  /** Names the key in tokens; tells nothing about a secret one. */
  readonly kid: string
  readonly signing: KeyObject
  readonly verifying: KeyObject
  /** What others verify with; absent for a secret key. */
  readonly publicJwk?: JWK
}

export interface KeyMaterial {
  readonly algorithm: SigningAlgorithm
  /** Of the HS algorithms; already known to be no weak or published one. */
  readonly secret: Uint8Array
  /** A private key, for the others. */
  readonly pem?: string | undefined
}

/** Rejects with a ValidationError, which never repeats the key, for one that does not suit the algorithm. */
export async function signingKeyOf({ algorithm, secret, pem }: KeyMaterial): Promise<SigningKey> {
  const needs = ALGORITHMS[algorithm]
  if (needs.kind === 'secret') return secretKeyOf(algorithm, secret, needs.bytesMin)
  if (pem === undefined) throw new ValidationError(`${algorithm} needs a private key, as a PEM file`)
  const signing = privateKeyOf(pem)
  checkKind(algorithm, signing)
  const verifying = createPublicKey(signing)
  const jwk = await exportJWK(verifying)
  const kid = await calculateJwkThumbprint(jwk)
  return { algorithm, kid, signing, verifying, publicJwk: { ...jwk, kid, alg: algorithm, use: 'sig' } }
}

/** What the keys of a gateway are made of: the current ones first. */
export interface SigningMaterial {
  readonly algorithm: SigningAlgorithm
  readonly secrets: readonly [Uint8Array, ...Uint8Array[]]
  /** Private keys, for the algorithms that are not HS. */
  readonly pems: readonly string[]
}

interface SigningRing {
  readonly key: SigningKey
  /** Those that signed before. */
  readonly previous: readonly SigningKey[]
}

/** Rejects like `signingKeyOf`. A secret that is too short for the algorithm has never signed with it. */
export async function signingRing({ algorithm, secrets, pems }: SigningMaterial): Promise<SigningRing> {
  const [secret, ...older] = secrets
  const needs = ALGORITHMS[algorithm]
  const key = await signingKeyOf({ algorithm, secret, pem: pems[0] })
  const fitting = needs.kind === 'secret' ? older.filter((each) => each.byteLength >= needs.bytesMin) : []
  const previous =
    needs.kind === 'secret'
      ? fitting.map((each) => signingKeyOf({ algorithm, secret: each }))
      : pems.slice(1).map((pem) => signingKeyOf({ algorithm, secret, pem }))
  return { key, previous: await Promise.all(previous) }
}

function secretKeyOf(algorithm: SigningAlgorithm, secret: Uint8Array, bytesMin: number): SigningKey {
  if (secret.byteLength < bytesMin) {
    throw new ValidationError(`${algorithm} needs a secret of ${bytesMin} bytes, and this has ${secret.byteLength}`)
  }
  const key = createSecretKey(secret)
  const kid = createHmac('sha256', key).update('metamcp key id').digest('base64url').slice(0, 22)
  return { algorithm, kid, signing: key, verifying: key }
}

function privateKeyOf(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    // OpenSSL's words may quote the file.
    throw new ValidationError('The signing key is no unencrypted private key in PEM form')
  }
}

function checkKind(algorithm: SigningAlgorithm, key: KeyObject): void {
  const needs = ALGORITHMS[algorithm]
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  const isRight = key.asymmetricKeyType === needs.kind && (!('curve' in needs) || namedCurve === needs.curve)
  if (!isRight) {
    const wanted = 'curve' in needs ? `${needs.kind} key on ${needs.curve}` : `${needs.kind} key`
    throw new ValidationError(`${algorithm} needs an ${wanted}, and this is another`)
  }
  if (needs.kind === 'rsa' && modulusLength < RSA_BITS_MIN) {
    throw new ValidationError(`An RSA key needs ${RSA_BITS_MIN} bits, and this has ${modulusLength}`)
  }
}
