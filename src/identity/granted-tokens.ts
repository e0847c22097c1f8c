import { hkdfSync } from 'node:crypto'
import { jwtVerify } from 'jose'
import { messageOf } from '#kernel/errors'
import { unauthenticated } from './refusal.ts'
import type { Resource, Resources } from './resources.ts'
import { isScope, type Scope } from './scopes.ts'
import { signingKeyOf, type SigningKey } from './signing-keys.ts'
import { type AccessClaims, claimsOf, headerText, strictHeader, timeProblem } from './strict-jws.ts'

/** What a user has let a client do: the client's tokens are good for that alone, at one endpoint. */
export interface Grant {
  readonly clientId: string
  readonly scopes: readonly Scope[]
  readonly resource: Resource
}

/** Verifies the access tokens that the authorization server issues to clients. */
export interface GrantedTokens {
  /** Whether the token says of itself to be one. */
  isOne(token: string): boolean
  /** Rejects with `authentication_error`; its cause says what is wrong. */
  verify(token: string): Promise<AccessClaims & { readonly grant: Grant }>
}

export interface GrantedTokenDeps {
  readonly key: SigningKey
  readonly resources: Pick<Resources, 'issuer' | 'read'>
  readonly lifetimeMs: number
  /** Epoch milliseconds. */
  now(): number
}

export function createGrantedTokens({ key, resources, lifetimeMs, now }: GrantedTokenDeps): GrantedTokens {
  const header = headerText(key)
  return {
    isOne: (token) => token.startsWith(`${header}.`),
    async verify(token) {
      strictHeader(token)
      const options = { issuer: resources.issuer(), algorithms: [key.algorithm], currentDate: new Date(now()) }
      const { payload } = await jwtVerify(token, key.verifying, options).catch((thrown: unknown) => {
        throw unauthenticated(messageOf(thrown))
      })
      const claims = claimsOf(payload)
      if (!claims) throw unauthenticated('a claim is missing or strange')
      const problem = timeProblem(claims, lifetimeMs / 1000, now() / 1000)
      if (problem !== undefined) throw unauthenticated(problem)
      return { ...claims, grant: grantOf(claims.aud, payload, resources) }
    },
  }
}

function grantOf(
  aud: string,
  { client_id: clientId, scope }: Readonly<Record<string, unknown>>,
  resources: GrantedTokenDeps['resources'],
): Grant {
  const resource = resources.read(aud)
  if (!resource) throw unauthenticated('the token is for another resource')
  if (typeof clientId !== 'string' || typeof scope !== 'string') throw unauthenticated('it names no client or no scope')
  return { clientId, scopes: scope.split(' ').filter(isScope), resource }
}

/** Ed25519, the same for all gateways that share the secret. Clients and others can verify with its public half. */
export function grantedTokenKey(secret: Uint8Array): Promise<SigningKey> {
  const seed = Buffer.from(hkdfSync('sha256', secret, '', 'metamcp oauth signing v1', 32))
  const der = Buffer.concat([PKCS8_OF_ED25519, seed]).toString('base64')
  const pem = `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`
  return signingKeyOf({ algorithm: 'EdDSA', secret, pem })
}

/** RFC 8410: all that stands before the 32 bytes of a private key. */
const PKCS8_OF_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')
