import { sign } from 'node:crypto'
import { createServer } from 'node:http'
import { describe, expect, test } from 'vitest'
import {
  base64,
  forge as forgedBy,
  forgeries,
  jwkOf,
  OWN_SECRET,
  type Forgery,
  type GoodToken,
} from '../../test/support/corpus/tokens.ts'
import { SECRET } from '../../test/support/identity-stage.ts'
import {
  ISSUER,
  AUDIENCE,
  SUBJECT,
  NOON_SECONDS,
  RSA,
  keyFor,
  REFUSED,
  tokenStage,
} from '../../test/support/token-stage.ts'

const good: GoodToken = {
  header: { alg: 'HS256', typ: 'at+jwt', kid: (await keyFor('HS256')).kid },
  claims: {
    iss: ISSUER,
    aud: AUDIENCE,
    ...SUBJECT,
    jti: '0190a1b2-0000-7000-8000-000000000000',
    iat: NOON_SECONDS,
    exp: NOON_SECONDS + 1800,
  },
  secret: SECRET,
  nowSeconds: NOON_SECONDS,
}
const CLAIMS = good.claims
const FORGERIES = forgeries(good)
const forge = (forgery: Forgery): string => forgedBy(good, forgery)

describe('forged tokens', () => {
  test('the forger can make a token that is good, and there are many that are not', async () => {
    const { tokens } = await tokenStage()
    expect(await tokens.verify(forge({}))).toEqual(CLAIMS)
    expect(new Set(FORGERIES.map(([, forgery]) => forge(forgery))).size).toBeGreaterThanOrEqual(120)
    expect(FORGERIES.map(([, forgery]) => forge(forgery))).not.toContain(forge({}))
  })

  test.each(FORGERIES)('R061 R140 %s is refused', async (_, forgery) => {
    const { tokens } = await tokenStage()
    await expect(tokens.verify(forge(forgery))).rejects.toMatchObject(REFUSED)
  })

  test('A4 signed with the public key as secret is refused by a gateway that signs with the private one', async () => {
    const { tokens, key } = await tokenStage({ key: await keyFor('RS256') })
    const forms = [
      key.verifying.export({ type: 'spki', format: 'pem' }),
      key.verifying.export({ type: 'spki', format: 'der' }),
      key.verifying.export({ type: 'pkcs1', format: 'pem' }),
      JSON.stringify(key.publicJwk),
      Buffer.from(key.publicJwk?.n ?? '', 'base64url'),
      Buffer.alloc(0),
    ]
    for (const alg of ['HS256', 'RS256']) {
      for (const form of forms) {
        const forged = forge({ header: { alg, kid: key.kid }, key: form })
        await expect(tokens.verify(forged)).rejects.toMatchObject(REFUSED)
      }
    }
  })

  test('A4 signed by the right key for another algorithm of its kind is refused', async () => {
    const { tokens, key } = await tokenStage({ key: await keyFor('RS256') })
    const body = `${base64(JSON.stringify({ alg: 'RS512', typ: 'at+jwt', kid: key.kid }))}.${base64(JSON.stringify(CLAIMS))}`
    const forged = `${body}.${sign('sha512', Buffer.from(body), RSA).toString('base64url')}`
    await expect(tokens.verify(forged)).rejects.toMatchObject(REFUSED)
  })

  test('A5 nothing is fetched of what a header names', async () => {
    const requests: string[] = []
    const server = createServer((request, answer) => {
      requests.push(request.url ?? '')
      answer.end(JSON.stringify({ keys: [jwkOf(OWN_SECRET)] }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('listens on a port')
    const url = `http://127.0.0.1:${address.port}`
    const { tokens } = await tokenStage()
    for (const name of ['jku', 'x5u', 'kid', 'iss']) {
      const header = name === 'iss' ? {} : { [name]: `${url}/${name}` }
      const forged = forge({ header, claims: name === 'iss' ? { iss: url } : {}, key: OWN_SECRET })
      await expect(tokens.verify(forged)).rejects.toMatchObject(REFUSED)
    }
    await new Promise((resolve) => server.close(resolve))
    expect(requests).toEqual([])
  })

  test('the reason is in the cause, never the token', async () => {
    const { tokens } = await tokenStage()
    const forged = forge({ claims: { aud: 'https://other.test' } })
    const error = await tokens.verify(forged).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ details: {}, cause: { message: 'unexpected "aud" claim value' } })
    expect(String((error as Error).cause)).not.toContain(forged.slice(0, 20))
  })
})
