import { createHmac, generateKeyPairSync } from 'node:crypto'

/** A token made by hand. What a row does not say is as the gateway would have it. */
export interface Forgery {
  readonly header?: Record<string, unknown> | undefined
  readonly claims?: Record<string, unknown>
  /** Instead of what the two say. */
  readonly headerText?: string
  readonly payloadText?: string
  /** Signed with this instead of the gateway's secret; '' for no signature. */
  readonly key?: string | Buffer
  /** The last change to the whole. */
  readonly twist?: (token: string) => string
}

/** What a gateway would accept, and the secret that it signs with. */
export interface GoodToken {
  readonly header: { readonly alg: string; readonly typ: string; readonly kid: string }
  readonly claims: Readonly<Record<string, unknown>> & { readonly iss: string; readonly aud: string }
  readonly secret: Buffer
  readonly nowSeconds: number
}

export const base64 = (text: string): string => Buffer.from(text).toString('base64url')
const without = (...names: string[]) => Object.fromEntries(names.map((name) => [name, undefined]))

/** A token out of a forgery. */
export function forge(good: GoodToken, forgery: Forgery): string {
  const { header, claims, headerText, payloadText, key = good.secret, twist = (token) => token } = forgery
  const head = base64(headerText ?? JSON.stringify({ ...good.header, ...header }))
  const body = base64(payloadText ?? JSON.stringify({ ...good.claims, ...claims }))
  const signed = `${head}.${body}`
  const signature = key === '' ? '' : createHmac('sha256', key).update(signed).digest('base64url')
  return twist(`${signed}.${signature}`)
}

const publicPem = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' })
export const jwkOf = (secret: Buffer) => ({ kty: 'oct', k: secret.toString('base64url'), alg: 'HS256' })
export const OWN_SECRET = Buffer.from('the secret of an attacker, which is long enough')
const parts = (change: (parts: string[]) => string[]) => (token: string) => change(token.split('.')).join('.')

/** Tokens that no gateway may take for its own. */
export function forgeries(good: GoodToken): readonly (readonly [what: string, forgery: Forgery])[] {
  const { header, claims, secret, nowSeconds: now } = good
  const { kid } = header
  const { iss: issuer, aud: audience } = claims
  const member = (text: string) => `{"alg":"HS256","typ":"at+jwt","kid":"${kid}",${text}}`
  const claim = (text: string) => JSON.stringify(claims).replace('}', `,${text}}`)
  return [
    // A3: no algorithm
    ...['none', 'None', 'NONE', 'nOnE', '', 'none '].flatMap((alg) => [
      [`A3 alg "${alg}" without a signature`, { header: { alg }, key: '' }] as const,
      [`A3 alg "${alg}" with the right signature`, { header: { alg } }] as const,
    ]),
    ['A3 no alg', { header: without('alg'), key: '' }],
    ['A3 alg null', { header: { alg: null } }],
    ['A3 a list of algs', { header: { alg: ['HS256', 'none'] } }],
    ['A3 the right header and no signature', { key: '' }],
    ['A3 alg in the wrong case', { header: { alg: 'hs256' } }],
    // A4: another algorithm or key
    ['A4 alg HS384 signed with SHA-256', { header: { alg: 'HS384' } }],
    ['A4 alg RS256 with an HMAC', { header: { alg: 'RS256' } }],
    ['A4 alg ES256 with an HMAC', { header: { alg: 'ES256' } }],
    ['A4 alg EdDSA with an HMAC', { header: { alg: 'EdDSA' } }],
    ['A4 signed with a public key in PEM form', { key: publicPem.toString() }],
    ['A4 signed with an empty key', { key: Buffer.alloc(0) }],
    ['A4 signed with zeros', { key: Buffer.alloc(32) }],
    ['A4 signed with the kid', { key: kid }],
    ['A4 signed with the secret in base64', { key: secret.toString('base64') }],
    ['A4 signed with half of the secret', { key: secret.subarray(0, 32) }],
    // A5: keys that come along
    ['A5 a jwk in the header', { header: { jwk: jwkOf(OWN_SECRET) }, key: OWN_SECRET }],
    ['A5 the right signature and a jwk', { header: { jwk: jwkOf(secret) } }],
    ['A5 an x5c in the header', { header: { x5c: ['MIIB'] }, key: OWN_SECRET }],
    ['A5 no kid and a jwk', { header: { kid: undefined, jwk: jwkOf(OWN_SECRET) }, key: OWN_SECRET }],
    // A6: kids
    ...[
      '../../../../dev/null',
      "' union select 'x' --",
      '__proto__',
      'constructor',
      'x'.repeat(10_240),
      '',
      `${kid}\0`,
    ].map((kid) => [`A6 kid ${JSON.stringify(kid.slice(0, 24))}`, { header: { kid }, key: '' }] as const),
    ['A6 kid of a file with known content', { header: { kid: '/dev/null' }, key: Buffer.alloc(0) }],
    ['A6 no kid', { header: without('kid') }],
    ['A6 a number as kid', { header: { kid: 0 } }],
    // Headers
    ['crit', { header: { crit: ['exp'] } }],
    ['crit that names b64', { header: { crit: ['b64'], b64: false } }],
    ['zip', { header: { zip: 'DEF' } }],
    ['alg twice, the good one last', { headerText: `{"alg":"none","alg":"HS256","typ":"at+jwt","kid":"${kid}"}` }],
    ['alg twice, the good one first', { headerText: member('"alg":"none"') }],
    ['a member named __proto__', { headerText: member('"__proto__":{"alg":"none"}') }],
    ['white space in the header', { headerText: ` ${JSON.stringify(header)}` }],
    ['a list as header', { headerText: '[]' }],
    ['no JSON as header', { headerText: 'HS256' }],
    // A10: other kinds of token
    ['A10 typ JWT', { header: { typ: 'JWT' } }],
    ['A10 typ of an ID token', { header: { typ: 'id+jwt' } }],
    ['A10 no typ', { header: without('typ') }],
    ['A10 typ in another case', { header: { typ: 'AT+JWT' } }],
    ['A10 an ID token', { header: { typ: undefined }, claims: { nonce: 'n', aud: 'client' } }],
    // A7: times
    ...['exp', 'iat'].flatMap((name) =>
      [undefined, null, '1800000900', -1, 1.5, 9e99, Number.MAX_SAFE_INTEGER, [], {}, true, 0].map(
        (value) => [`A7 ${name} ${JSON.stringify(value)}`, { claims: { [name]: value } }] as const,
      ),
    ),
    ['A7 expired', { claims: { iat: now - 1800, exp: now } }],
    ['A7 expired long ago', { claims: { iat: 1_000_000_000, exp: 1_000_001_800 } }],
    ['A7 exp a second later than tokens live', { claims: { exp: now + 1801 } }],
    ['A7 exp in a hundred years', { claims: { exp: now + 3_155_760_000 } }],
    ['A7 exp in milliseconds', { claims: { exp: now * 1000 + 1_800_000 } }],
    ['A7 iat in the future', { claims: { iat: now + 60, exp: now + 1860 } }],
    ['A7 exp as 1e400', { payloadText: JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e400') }],
    ['A7 exp in another spelling', { payloadText: JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1.8000018e9') }],
    ['A7 exp twice', { payloadText: claim(`"exp":${now + 1700}`) }],
    ...[now + 60, '0', 9e99, null, [], now].map(
      (nbf) => [`A7 nbf ${JSON.stringify(nbf)}`, { claims: { nbf } }] as const,
    ),
    // A8, A9: who issued it, for whom
    ...[
      undefined,
      null,
      '',
      'https://evil.test',
      `${issuer}/`,
      issuer.toUpperCase(),
      [issuer],
      issuer.slice(0, -1),
      `${issuer}.evil`,
    ].map((iss) => [`A8 iss ${JSON.stringify(iss)}`, { claims: { iss } }] as const),
    ...[
      undefined,
      null,
      '',
      'https://other.test/mcp',
      `${audience}/`,
      audience.slice(0, -1),
      `${audience}2`,
      audience.toUpperCase(),
      [audience],
      [audience, 'https://other.test'],
      [],
      { 0: audience },
      '*',
      issuer,
    ].map((aud) => [`A9 aud ${JSON.stringify(aud)}`, { claims: { aud } }] as const),
    // Other claims
    ...['sub', 'jti', 'family'].flatMap((name) =>
      [undefined, null, '', 7, ['u1'], { id: 'u1' }, 'x'.repeat(65)].map(
        (value) => [`${name} ${JSON.stringify(value)?.slice(0, 20)}`, { claims: { [name]: value } }] as const,
      ),
    ),
    ...[undefined, null, '3', -1, 3.5, 9e99, [3]].map(
      (epoch) => [`epoch ${JSON.stringify(epoch)}`, { claims: { epoch } }] as const,
    ),
    ['R061 sub twice', { payloadText: claim('"sub":"admin"') }],
    ['a list as claims', { payloadText: '[]' }],
    ['null as claims', { payloadText: 'null' }],
    ['text as claims', { payloadText: '"admin"' }],
    ['no JSON as claims', { payloadText: 'sub=u1' }],
    ['a byte order mark before the claims', { payloadText: `\ufeff${JSON.stringify(claims)}` }],
    // Encodings and truncations
    [
      'R061 a swapped payload',
      { twist: parts(([head = '', , mac = '']) => [head, base64(JSON.stringify({ ...claims, sub: 'admin' })), mac]) },
    ],
    ['a changed signature', { twist: (token) => token.slice(0, -2) + (token.endsWith('AA') ? 'BB' : 'AA') }],
    ['a last character that decodes to the same bytes', { twist: sameBytes }],
    ['a signature cut short', { twist: (token) => token.slice(0, -4) }],
    ['a longer signature', { twist: (token) => `${token}AAAA` }],
    ['padding', { twist: (token) => `${token}=` }],
    ['a blank at the end', { twist: (token) => `${token} ` }],
    ['a blank before', { twist: (token) => ` ${token}` }],
    ['a line break inside', { twist: (token) => `${token.slice(0, 40)}\n${token.slice(40)}` }],
    ['plain base64', { twist: (token) => Buffer.from(token).toString('base64') }],
    ['the scheme before it', { twist: (token) => `Bearer ${token}` }],
    ['two tokens', { twist: (token) => `${token},${token}` }],
    ['a fourth part', { twist: (token) => `${token}.e30` }],
    ['five parts, as encrypted tokens have', { twist: (token) => `${token}.e30.e30` }],
    ['two parts', { twist: parts((all) => all.slice(0, 2)) }],
    ['one part', { twist: parts((all) => all.slice(0, 1)) }],
    ['no header', { twist: parts(([, ...rest]) => ['', ...rest]) }],
    ['no payload', { twist: parts(([head = '', , mac = '']) => [head, '', mac]) }],
    ['dots alone', { twist: () => '..' }],
    ['nothing', { twist: () => '' }],
    ['JSON', { twist: () => JSON.stringify({ protected: header, payload: claims, signature: 'x' }) }],
    ['more than 8 kB, rightly signed', { claims: { note: 'x'.repeat(8192) } }],
    ['a megabyte', { twist: (token) => token + 'A'.repeat(1_000_000) }],
    ['a million dots', { twist: () => '.'.repeat(1_000_000) }],
  ]
}

/** The last character of 32 bytes in base64url has two bits to spare. */
function sameBytes(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return token.slice(0, -1) + alphabet.charAt(alphabet.indexOf(token.slice(-1)) ^ 1)
}
