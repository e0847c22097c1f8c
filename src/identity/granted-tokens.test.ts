import { sign } from 'node:crypto'
import { expect, test } from 'vitest'
import { createGrantedTokens, grantedTokenKey } from './granted-tokens.ts'
import { createResources } from './resources.ts'
import { headerOf } from './strict-jws.ts'

const NOON = 1_800_000_000
const ISSUER = 'https://tools.example.com'
const SECRET = Buffer.from('only-for-tests-0123456789-abcdefghijklmnop')

const text = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

async function stage() {
  const key = await grantedTokenKey(SECRET)
  const resources = createResources(ISSUER, 'http://127.0.0.1:8000')
  const tokens = createGrantedTokens({ key, resources, lifetimeMs: 1_800_000, now: () => NOON * 1000 })
  const claims = {
    iss: ISSUER,
    aud: `${ISSUER}/mcp/dev`,
    sub: 'ann',
    jti: 'j',
    iat: NOON,
    exp: NOON + 1800,
    epoch: 0,
    family: 'f',
    client_id: 'c',
    scope: 'mcp:tools admin',
  }
  /** With the gateway's own key: what is wrong is only what the token says. */
  const signed = (changes: object, header: object = {}) => {
    const input = `${text({ ...headerOf(key), ...header })}.${text({ ...claims, ...changes })}`
    return `${input}.${sign(null, Buffer.from(input), key.signing).toString('base64url')}`
  }
  return { tokens, signed }
}

test('a token that the key has signed is good for what it says, as far as there is such a thing', async () => {
  const { tokens, signed } = await stage()
  expect(await tokens.verify(signed({}))).toMatchObject({
    sub: 'ann',
    grant: { clientId: 'c', scopes: ['mcp:tools'], resource: { namespace: 'dev' } },
  })
  const { grant } = await tokens.verify(signed({ aud: 'http://localhost:8000/mcp' }))
  expect(grant.resource).toEqual({ namespace: undefined })
})

test('A7, A8, A9 even a token that the key has signed is refused for another audience, issuer or time', async () => {
  const { tokens, signed } = await stage()
  const wrong: object[] = [
    { aud: 'https://other.example.com/mcp' },
    { aud: [`${ISSUER}/mcp`] },
    { aud: `${ISSUER}/mcp/` },
    { aud: `${ISSUER}/mc` },
    { aud: `${ISSUER}/mcp/a/b` },
    { aud: `${ISSUER}/MCP` },
    { aud: `${ISSUER}:8443/mcp` },
    { aud: `${ISSUER}.evil.example/mcp` },
    { aud: `${ISSUER}/mcp?x` },
    { aud: 'http://tools.example.com/mcp' },
    { aud: 'http://localhost:8001/mcp' },
    { aud: 'http://10.0.0.1:8000/mcp' },
    { aud: '' },
    { aud: undefined },
    { iss: 'https://other.example.com' },
    { iss: [ISSUER] },
    { iss: `${ISSUER}/` },
    { iss: undefined },
    { exp: NOON },
    { exp: NOON + 9999 },
    { exp: undefined },
    { exp: '9e99' },
    { iat: NOON + 60 },
    { nbf: NOON - 1 },
    { epoch: undefined },
    { family: undefined },
    { sub: '' },
    { client_id: undefined },
    { scope: undefined },
  ]
  for (const changes of wrong)
    await expect(tokens.verify(signed(changes)), JSON.stringify(changes)).rejects.toMatchObject({
      code: 'authentication_error',
    })
})

test('a token says by its header that it is one, and another header makes none', async () => {
  const { tokens, signed } = await stage()
  expect(tokens.isOne(signed({}))).toBe(true)
  for (const header of [{ typ: 'JWT' }, { kid: 'x' }, { alg: 'none' }, { jku: 'https://evil.example' }, { crit: [] }])
    expect(tokens.isOne(signed({}, header))).toBe(false)
})
