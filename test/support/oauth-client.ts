import { createHash, randomBytes } from 'node:crypto'
import type { Json } from './raw-http.ts'
import { startBrowser, type Browser, type Page } from './browser.ts'
import { startTestApp, type TestApp, type TestAppOptions } from './test-app.ts'

export const OWNER = { username: 'root', password: 'correct horse battery' }
export const REDIRECT = 'http://127.0.0.1:39999/callback'
export const ALL_SCOPES = 'mcp:tools mcp:prompts mcp:resources'

const OWNER_ENV = {
  META_MCP_ANONYMOUS_ROLE: 'none',
  META_MCP_ADMIN_USERNAME: OWNER.username,
  META_MCP_ADMIN_PASSWORD: OWNER.password,
}

/** A gateway where nobody comes in without a credential. */
export function startClosedApp({ env = {}, ...options }: TestAppOptions = {}): Promise<TestApp> {
  return startTestApp({ ...options, env: { ...OWNER_ENV, ...env } })
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Json
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly scope: string
  readonly expires_in: number
}

type Params = Readonly<Record<string, string | undefined>>

/** A client of the authorization server that says exactly what a test wants it to say. */
export interface OauthClient {
  readonly url: string
  readonly browser: Browser
  register(body?: unknown, headers?: Record<string, string>): Promise<Answer>
  /** The address to send a browser to; `undefined` leaves a parameter out. */
  authorizeUrl(clientId: string, params?: Params): string
  /** Login (where the page asks for it) and consent; answers where the browser ends up. */
  approve(address: string, who?: { username: string; password: string }): Promise<Page>
  token(params: Params): Promise<Answer>
  /** For a code: what the client of `authorizeUrl` asks with. */
  redeem(clientId: string, code: string, params?: Params): Promise<Answer>
  /** All of it, from registration to tokens. */
  logIn(params?: Params): Promise<Tokens & { readonly clientId: string }>
}

/** `publicUrl`: the origin by which the gateway calls itself, where it is another one. */
export function oauthClient(
  { listening: { url } }: { readonly listening: Pick<TestApp['listening'], 'url'> },
  publicUrl?: string,
): OauthClient {
  const browser = startBrowser(url, publicUrl)
  const verifier = randomBytes(32).toString('base64url')
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  const register: OauthClient['register'] = (
    body = { redirect_uris: [REDIRECT], client_name: 'Tester' },
    headers = {},
  ) =>
    send(`${url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const authorizeUrl: OauthClient['authorizeUrl'] = (clientId, params = {}) => {
    const all = {
      client_id: clientId,
      response_type: 'code',
      redirect_uri: REDIRECT,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      resource: `${url}/mcp`,
      scope: ALL_SCOPES,
      state: 'xyz',
      ...params,
    }
    return `${url}/oauth/authorize?${form(all).toString()}`
  }
  const approve: OauthClient['approve'] = async (address, who = OWNER) => {
    let page = await browser.open(address)
    if (page.text.includes('name="password"')) page = await browser.submit(page, { ...who, do: 'login' })
    return page.text.includes('value="allow"') ? browser.submit(page, { do: 'allow' }) : page
  }
  const token: OauthClient['token'] = (params) => send(`${url}/oauth/token`, { method: 'POST', body: form(params) })
  const redeem: OauthClient['redeem'] = (clientId, code, params = {}) =>
    token({
      grant_type: 'authorization_code',
      client_id: clientId,
      code,
      redirect_uri: REDIRECT,
      code_verifier: verifier,
      ...params,
    })
  return {
    url,
    browser,
    register,
    authorizeUrl,
    approve,
    token,
    redeem,
    async logIn(params = {}) {
      const clientId = String((await register()).body['client_id'])
      const { url: back } = await approve(authorizeUrl(clientId, params))
      const answer = await redeem(clientId, back.searchParams.get('code') ?? '')
      if (answer.status !== 200) throw new Error(`no tokens: ${back.href} ${JSON.stringify(answer.body)}`)
      return { ...(answer.body as unknown as Tokens), clientId }
    },
  }
}

function form(params: Params): URLSearchParams {
  return new URLSearchParams(
    Object.entries(params).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as [string, string]])),
  )
}

async function send(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, { ...init, redirect: 'manual' })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: parsed(text) }
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return { text }
  }
}
