import { randomBytes } from 'node:crypto'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { weaknessOf } from '#config/secret'
import { newDirectory, startTestApp, type TestApp } from '../support/test-app.ts'
import { ec, pem, PEMS } from '../support/token-stage.ts'

const WHO = { username: 'admin', password: 'correct horse battery' }
const SECRETS = [
  'hpN21HKU8S7JUG4NA1fSpTDoPqJpB_Hd645YVYMYXxRPcI7d-xj8zgvP-vSJrQGbel',
  'U8xm3VC-4gOrH5_tXXDpxxDg1HGIaFzujvrUxvUovgpHVp9x3R8f1C-khwKm8N5r-u',
] as const

async function start(directory: string, env: Record<string, string>): Promise<TestApp> {
  const admin = { META_MCP_ANONYMOUS_ROLE: '', META_MCP_ADMIN_PASSWORD: WHO.password }
  return startTestApp({ directory, env: { ...admin, ...env } })
}

async function login({ api }: TestApp): Promise<string> {
  return (await api.send<{ access_token: string }>('POST', 'auth/login', WHO)).body.access_token
}

const statusOf = async ({ api }: TestApp, token: string) =>
  (await api.send('GET', 'auth/me', undefined, { authorization: `Bearer ${token}` })).status

async function keyFile(directory: string, ...pems: (string | undefined)[]): Promise<string> {
  const path = join(directory, 'signing.pem')
  await writeFile(path, pems.join('\n'))
  await chmod(path, 0o600)
  return path
}

const HASHES = ['256', '384', '512']
test.each([...HASHES.flatMap((hash) => ['RS', 'PS', 'ES'].map((kind) => kind + hash)), 'EdDSA'])(
  'R061, R204 tokens of %s are verified by anybody with the published key',
  async (algorithm) => {
    await using directory = await newDirectory()
    const path = await keyFile(directory.path, PEMS[algorithm] ?? PEMS['RS'])
    await using app = await start(directory.path, { META_MCP_ALGORITHM: algorithm, META_MCP_SIGNING_KEY_FILE: path })
    const token = await login(app)
    expect(await statusOf(app, token)).toBe(200)
    const set = createRemoteJWKSet(new URL('/.well-known/jwks.json', app.listening.url))
    const { payload, protectedHeader } = await jwtVerify(token, set)
    expect([protectedHeader.alg, typeof payload.sub]).toEqual([algorithm, 'string'])
    const { body } = await app.api.send<{ keys: object[] }>('GET', '/.well-known/jwks.json')
    for (const secret of ['d', 'p', 'q', 'k']) expect(body.keys[0]).not.toHaveProperty(secret)
  },
)

test.each(['HS256', 'HS384', 'HS512'])(
  'R203, R204 with %s nothing is published, and a secret that is too short is refused',
  async (algorithm) => {
    await using directory = await newDirectory()
    const env = { META_MCP_ALGORITHM: algorithm, META_MCP_SECRET_KEY: SECRETS[0] }
    await using app = await start(directory.path, env)
    const token = await login(app)
    expect([await statusOf(app, token), decodeProtectedHeader(token).alg]).toEqual([200, algorithm])
    expect((await app.api.send('GET', '/.well-known/jwks.json')).body).toEqual({ keys: [] })
    const short = { ...env, META_MCP_SECRET_KEY: SECRETS[0].slice(0, Number(algorithm.slice(2)) / 8 - 1) }
    await using other = await newDirectory()
    await expect(start(other.path, short)).rejects.toThrow(/needs (a secret of|at least)/)
  },
)

test('A11, R205 a key that was replaced is good for the tokens that it signed while it is listed, and for none after', async () => {
  await using directory = await newDirectory()
  const settings = async (...pems: (string | undefined)[]) => ({
    META_MCP_ALGORITHM: 'ES256',
    META_MCP_SIGNING_KEY_FILE: await keyFile(directory.path, ...pems),
  })
  const other = pem(ec('P-256'))
  const before = await start(directory.path, await settings(PEMS['ES256']))
  const old = await login(before)
  await before[Symbol.asyncDispose]()
  {
    await using app = await start(directory.path, await settings(other, PEMS['ES256']))
    expect(await statusOf(app, old)).toBe(200)
    const fresh = await login(app)
    expect(decodeProtectedHeader(fresh).kid).not.toBe(decodeProtectedHeader(old).kid)
    const { body } = await app.api.send<{ keys: { kid: string }[] }>('GET', '/.well-known/jwks.json')
    expect(body.keys.map(({ kid }) => kid)).toEqual([fresh, old].map((token) => decodeProtectedHeader(token).kid))
  }
  await using app = await start(directory.path, await settings(other))
  expect(await statusOf(app, old)).toBe(401)
})

test('R203 the same with secret keys: a new META_MCP_SECRET_KEY ends no login while the one before is listed', async () => {
  await using directory = await newDirectory()
  const [first, second] = SECRETS
  const before = await start(directory.path, { META_MCP_SECRET_KEY: first })
  const old = await login(before)
  await before[Symbol.asyncDispose]()
  {
    await using app = await start(directory.path, { META_MCP_SECRET_KEY: second, META_MCP_PREVIOUS_SECRET_KEYS: first })
    expect(await statusOf(app, old)).toBe(200)
  }
  await using app = await start(directory.path, { META_MCP_SECRET_KEY: second })
  expect(await statusOf(app, old)).toBe(401)
})

test('A12 a signing key that everybody can read, is of another kind, missing or no key, stops the start', async () => {
  await using directory = await newDirectory()
  const rs = { META_MCP_ALGORITHM: 'RS256' }
  await expect(start(directory.path, rs)).rejects.toThrow(/META_MCP_SIGNING_KEY_FILE/)
  const path = await keyFile(directory.path, PEMS['RS'])
  await chmod(path, 0o644)
  await expect(start(directory.path, { ...rs, META_MCP_SIGNING_KEY_FILE: path })).rejects.toThrow(/chmod 600/)
  await keyFile(directory.path, PEMS['EdDSA'])
  await expect(start(directory.path, { ...rs, META_MCP_SIGNING_KEY_FILE: path })).rejects.toThrow(/needs an rsa key/)
  await keyFile(directory.path, 'my diary')
  await expect(start(directory.path, { ...rs, META_MCP_SIGNING_KEY_FILE: path })).rejects.toThrow(/no private key/)
  await expect(start(directory.path, { META_MCP_SIGNING_KEY_FILE: path })).rejects.toThrow(/META_MCP_ALGORITHM/)
  await expect(start(directory.path, { META_MCP_ALGORITHM: 'none' })).rejects.toThrow(/must be one of HS256/)
})

const long = (text: string) => text.padEnd(32, text)

/** Well-known and guessable secrets, by the rules by which people make them. */
function weakSecrets(): string[] {
  const words =
    'secret,password,changeme,admin,metamcp,mysecret,secretkey,jwtsecret,supersecret,letmein,qwerty,default,example,test,development,yoursecret,your-256-bit-secret,my-secret-key,p@ssw0rd,s3cr3t,change-me-in-production,django-insecure,insecure-key,do-not-use,hello world,iloveyou,welcome1,master key,token,access_token'.split(
      ',',
    )
  const fills = [
    '0',
    '1',
    'a',
    'x',
    '-',
    '_',
    '.',
    '!',
    '123',
    '1234567890',
    'abc',
    'abcdefghijklmnopqrstuvwxyz',
    '0123456789',
    'qwertyuiop',
  ]
  const variants = words.flatMap((word) => [word, word.toUpperCase(), `my-${word}`, `${word}-2024`, `the_${word}!`])
  return [
    ...variants.flatMap((word) => fills.map((fill) => word + fill.repeat(40).slice(0, 40))),
    ...variants.map(long).map((text) => (text.length < 32 ? text.padEnd(32, '!') : text)),
    ...words.flatMap((word) => words.map((other) => `${word}-${other}-`.repeat(2)).map(long)),
    ...Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index).repeat(48)),
    ...Array.from({ length: 32 }, (_, length) => randomBytes(32).toString('base64url').slice(0, length)),
  ]
}

test('A12 more than two thousand weak, sample and short secrets are refused, and no random one is', () => {
  const weak = weakSecrets()
  expect(new Set(weak).size).toBeGreaterThan(2000)
  expect(weak.filter((key) => weaknessOf(key) === undefined)).toEqual([])
  const strong = Array.from({ length: 3000 }, (_, index) =>
    randomBytes(32).toString((['base64', 'base64url', 'hex'] as const)[index % 3]),
  )
  expect(strong.filter((key) => weaknessOf(key) !== undefined)).toEqual([])
})
