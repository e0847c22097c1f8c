import { generateKeyPairSync } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, importJWK, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { MINUTE, NOON, SECRET } from '../../test/support/identity-stage.ts'
import {
  ISSUER,
  AUDIENCE,
  SUBJECT,
  NOON_SECONDS,
  pem,
  ec,
  RSA,
  PEMS,
  keyFor,
  REFUSED,
  tokenStage,
} from '../../test/support/token-stage.ts'
import { SIGNING_ALGORITHMS, type SigningAlgorithm, signingKeyOf } from './signing-keys.ts'

const OTHER_SECRET = Buffer.from(SECRET.toReversed())
const publicPem = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' })

describe.each(SIGNING_ALGORITHMS)('a token signed with %s', (algorithm) => {
  test('R061 has iss, aud, sub, jti, iat and exp, and is verified until it expires', async () => {
    const { tokens, key, pass } = await tokenStage({ key: await keyFor(algorithm) })
    const { token, expiresInSeconds } = await tokens.issue(SUBJECT)
    expect(decodeProtectedHeader(token)).toEqual({ alg: algorithm, typ: 'at+jwt', kid: key.kid })
    const claims = { ...SUBJECT, iss: ISSUER, aud: AUDIENCE, iat: NOON_SECONDS, exp: NOON_SECONDS + 1800 }
    expect(decodeJwt(token)).toEqual({ ...claims, jti: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown })
    expect(expiresInSeconds).toBe(1800)
    pass(1_799_000)
    expect(await tokens.verify(token)).toEqual(decodeJwt(token))
    pass(1_000)
    await expect(tokens.verify(token)).rejects.toMatchObject(REFUSED)
  })

  test('R061 is refused with another key of the same kind', async () => {
    const { tokens } = await tokenStage({ key: await keyFor(algorithm) })
    const foreign = {
      RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
      ES256: () => ec('P-256'),
      ES384: () => ec('P-384'),
      ES512: () => ec('P-521'),
      EdDSA: () => generateKeyPairSync('ed25519').privateKey,
    }[algorithm.replace(/^[RP]S.*/, 'RS256') as 'RS256']
    const other = foreign
      ? await signingKeyOf({ algorithm, secret: SECRET, pem: pem(foreign()) })
      : await keyFor(algorithm, OTHER_SECRET)
    const { token } = await (await tokenStage({ key: other })).tokens.issue(SUBJECT)
    await expect(tokens.verify(token)).rejects.toMatchObject(REFUSED)
    // The same with the kid of the key that is trusted.
    const kid = (await keyFor(algorithm)).kid
    const forged = await (await tokenStage({ key: { ...other, kid } })).tokens.issue(SUBJECT)
    await expect(tokens.verify(forged.token)).rejects.toMatchObject(REFUSED)
  })
})

describe('a new key', () => {
  test('tokens of the old one are accepted for as long as they live, and new ones have the new kid', async () => {
    const [old, young] = [await keyFor('HS256'), await keyFor('ES256')]
    const before = await tokenStage({ key: old })
    const { token } = await before.tokens.issue(SUBJECT)
    const after = await tokenStage({ key: young, retired: [{ key: old, retiredAt: NOON }] })
    expect(await after.tokens.verify(token)).toMatchObject(SUBJECT)
    expect(decodeProtectedHeader((await after.tokens.issue(SUBJECT)).token).kid).toBe(young.kid)
    after.pass(30 * MINUTE)
    before.pass(30 * MINUTE)
    const late = await before.tokens.issue(SUBJECT)
    await expect(after.tokens.verify(late.token)).rejects.toMatchObject(REFUSED)
  })

  test('without the old one its tokens are refused', async () => {
    const { token } = await (await tokenStage()).tokens.issue(SUBJECT)
    await expect((await tokenStage({ key: await keyFor('ES256') })).tokens.verify(token)).rejects.toMatchObject(REFUSED)
  })

  test('others verify tokens with the published keys, the old one among them as long as it counts', async () => {
    const [old, young] = [await keyFor('RS256'), await keyFor('EdDSA')]
    const { tokens, pass } = await tokenStage({ key: young, retired: [{ key: old, retiredAt: NOON }] })
    const { keys } = tokens.jwks()
    expect(keys.map(({ kid, alg, use }) => [kid, alg, use])).toEqual([
      [young.kid, 'EdDSA', 'sig'],
      [old.kid, 'RS256', 'sig'],
    ])
    for (const secretMember of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) {
      for (const key of keys) expect(key).not.toHaveProperty(secretMember)
    }
    const { token } = await tokens.issue(SUBJECT)
    const options = { audience: AUDIENCE, issuer: ISSUER, currentDate: new Date(NOON) }
    expect((await jwtVerify(token, await importJWK(keys[0] ?? {}), options)).payload.sub).toBe('u1')
    pass(30 * MINUTE)
    expect(tokens.jwks().keys.map(({ kid }) => kid)).toEqual([young.kid])
  })

  test('a secret one is never published, and its kid does not tell it', async () => {
    const { tokens, key } = await tokenStage()
    expect(tokens.jwks()).toEqual({ keys: [] })
    expect(key.kid).toMatch(/^[\w-]{22}$/)
    expect((await keyFor('HS256')).kid).toBe(key.kid)
    expect((await keyFor('HS256', OTHER_SECRET)).kid).not.toBe(key.kid)
  })
})

describe('keys', () => {
  test.each([
    ['HS256', 31],
    ['HS384', 47],
    ['HS512', 63],
  ] as const)('A12 %s with a secret of %i bytes is refused', async (algorithm, bytes) => {
    const short = signingKeyOf({ algorithm, secret: SECRET.subarray(0, bytes) })
    await expect(short).rejects.toMatchObject({ code: 'validation_error' })
    await signingKeyOf({ algorithm, secret: SECRET.subarray(0, bytes + 1) })
  })

  const encrypted = RSA.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString()
  test.each<[string, SigningAlgorithm, string | undefined]>([
    ['no file', 'RS256', undefined],
    ['an empty file', 'RS256', ''],
    ['no PEM', 'RS256', 'canary canary canary'],
    ['a public key', 'RS256', publicPem.toString()],
    ['an encrypted key', 'RS256', encrypted],
    ['a short RSA key', 'RS256', pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)],
    ['another kind of key', 'RS256', PEMS['ES256']],
    ['another kind of key', 'ES256', PEMS['RS']],
    ['another curve', 'ES256', PEMS['ES384']],
    ['a curve that is not asked for', 'ES256', pem(ec('secp256k1'))],
    ['another kind of key', 'EdDSA', PEMS['ES256']],
    ['a key for agreement, not for signing', 'EdDSA', pem(generateKeyPairSync('x25519').privateKey)],
    ['a key of RSA-PSS', 'RS256', pem(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey)],
  ])('A12 %s for %s is refused, and the file is not repeated', async (_, algorithm, text) => {
    const refusal = await signingKeyOf({ algorithm, secret: SECRET, pem: text }).catch((thrown: unknown) => thrown)
    expect(refusal).toMatchObject({ code: 'validation_error' })
    expect(String(refusal)).not.toMatch(/canary|BEGIN/)
  })

  test.each([0, 59_999, 24 * 3_600_000 + 1, Number.NaN, Infinity])(
    'a lifetime of %d ms is refused',
    async (lifetimeMs) => {
      await expect(tokenStage({ lifetimeMs })).rejects.toMatchObject({ code: 'validation_error' })
    },
  )
})
