import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { oauthClient, REDIRECT, startClosedApp } from '../support/oauth-client.ts'
import { newDirectory } from '../support/test-app.ts'

test('O8 of a flood of registrations from one address only the first get in; there are no secrets that could stay', async () => {
  await using app = await startClosedApp()
  const client = oauthClient(app)
  const { body } = await client.register({
    redirect_uris: [REDIRECT],
    token_endpoint_auth_method: 'client_secret_basic',
  })
  expect(body['token_endpoint_auth_method']).toBe('none')
  expect(Object.keys(body).filter((key) => /secret|registration_access_token/.test(key))).toEqual([])
  const flood = []
  for (let round = 0; round < 20; round += 1)
    flood.push(...(await Promise.all(Array.from({ length: 50 }, () => client.register()))))
  const counted = Map.groupBy(flood, ({ status }) => status)
  expect(new Set(counted.keys())).toEqual(new Set([201, 429]))
  expect(counted.get(201)?.length).toBe(29)
  for (const { headers } of counted.get(429)?.slice(0, 3) ?? [])
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
})

test('O10 a page of somebody else registers nothing, and no address of a registration is read', async () => {
  await using app = await startClosedApp()
  const client = oauthClient(app)
  const reached: string[] = []
  await using documents = await serveDocuments((request, response) => {
    reached.push(request.url ?? '')
    response.end('[]')
  })
  const address = (name: string) => `${documents.url}/${name}`
  const foreign = await client.register(undefined, { origin: 'https://evil.example' })
  expect(foreign.status).toBe(403)
  expect(foreign.headers.get('access-control-allow-origin')).not.toBe('*')
  const told = {
    redirect_uris: [REDIRECT],
    logo_uri: address('logo'),
    client_uri: address('client'),
    jwks_uri: address('jwks'),
    sector_identifier_uri: address('sector'),
    policy_uri: address('policy'),
    tos_uri: address('tos'),
    initiate_login_uri: address('login'),
  }
  const { status, body } = await client.register(told)
  expect(status).toBe(201)
  await client.approve(client.authorizeUrl(String(body['client_id'])))
  expect(reached).toEqual([])
  const long = await client.register({ redirect_uris: [REDIRECT], client_name: 'x'.repeat(100_000) })
  expect(long.status).toBe(413)
})

interface Documents extends AsyncDisposable {
  readonly url: string
}

let key = ''
let cert = ''
beforeAll(async () => {
  await using directory = await newDirectory()
  const [keyFile, certFile] = [join(directory.path, 'key.pem'), join(directory.path, 'cert.pem')]
  const names = 'subjectAltName=IP:127.0.0.1,DNS:localhost'
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=test',
  ]
  execFileSync('openssl', [...args, '-addext', names, '-keyout', keyFile, '-out', certFile], { stdio: 'pipe' })
  key = readFileSync(keyFile, 'utf8')
  cert = readFileSync(certFile, 'utf8')
  setDefaultCACertificates([...getCACertificates('bundled'), cert])
})
afterAll(() => setDefaultCACertificates(getCACertificates('bundled')))

/** Where clients publish what they are, over TLS that this process trusts. */
async function serveDocuments(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Documents> {
  const server = createServer({ key, cert }, answer)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `https://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

test('O11 a client that publishes what it is needs no registration; a document that is not its own, large, moved or private is none', async () => {
  await using app = await startClosedApp()
  const client = oauthClient(app)
  const seen: (string | undefined)[] = []
  await using documents = await serveDocuments((request, response) => {
    seen.push(request.headers.authorization, request.headers.cookie)
    const path = request.url ?? ''
    const document = { client_id: documents.url + path, client_name: 'Published', redirect_uris: [REDIRECT] }
    const more: Record<string, object> = {
      '/good': {},
      '/other': { client_id: `${documents.url}/good` },
      '/large': { filler: 'x'.repeat(5_000_000) },
      '/secret': { client_secret: 'x' },
      '/redirects': { redirect_uris: [REDIRECT, 'http://evil.example/cb'] },
      '/user': { redirect_uris: [REDIRECT, 'https://user@app.example/cb'] },
    }
    if (path === '/moved') response.writeHead(302, { location: `${documents.url}/good` }).end()
    else if (path === '/text') response.end('hello')
    else if (more[path])
      response.end(JSON.stringify({ ...document, token_endpoint_auth_method: 'none', ...more[path] }))
    else response.writeHead(404).end()
  })
  for (const path of ['other', 'large', 'secret', 'redirects', 'user', 'moved', 'text', 'gone']) {
    const page = await client.browser.open(client.authorizeUrl(`${documents.url}/${path}`))
    expect([path, page.status, page.url.origin]).toEqual([path, 400, client.url])
    expect(page.text).not.toContain('password')
  }
  const { url } = await client.approve(client.authorizeUrl(`${documents.url}/good`))
  const tokens = await client.redeem(`${documents.url}/good`, url.searchParams.get('code') ?? '')
  expect(tokens.status).toBe(200)
  expect(seen.every((header) => header === undefined)).toBe(true)
  await using closed = await startClosedApp({ env: { META_MCP_EGRESS_ALLOW: '' } })
  const outside = oauthClient(closed)
  const before = seen.length
  for (const place of [
    documents.url,
    documents.url.replace('127.0.0.1', 'localhost'),
    'https://169.254.169.254',
    'https://[::1]:1',
    'https://10.0.0.1',
    documents.url.replace('https', 'http'),
  ]) {
    const page = await outside.browser.open(outside.authorizeUrl(`${place}/good`))
    expect([place, page.status, page.text.includes('password')]).toEqual([place, 400, false])
  }
  expect(seen.length).toBe(before)
})
