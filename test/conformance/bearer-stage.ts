import { startBearerRelay, type Relay } from './bearer-relay.ts'
import type { Gateway } from './gateway-process.ts'

const ADMIN = { username: 'root', password: 'correct horse battery' }

/** A gateway where nobody comes without a credential, and somebody who may everything. */
export const CLOSED = {
  META_MCP_ANONYMOUS_ROLE: 'none',
  META_MCP_ADMIN_USERNAME: ADMIN.username,
  META_MCP_ADMIN_PASSWORD: ADMIN.password,
}

/** What shows the API key of an administrator to a closed gateway. Rejects where the gateway is open after all. */
export async function startBearer({ url }: Gateway): Promise<Relay> {
  const uncredentialed = await fetch(url, { method: 'POST', body: '{}' })
  if (uncredentialed.status !== 401) throw new Error(`without a credential it answered ${uncredentialed.status}`)
  const { access_token: token } = await post(url, 'auth/login', ADMIN)
  const { key } = await post(url, 'api-keys', { name: 'conformance' }, { authorization: `Bearer ${String(token)}` })
  return await startBearerRelay(url, String(key))
}

type Json = Record<string, unknown>

async function post(url: string, path: string, body: Json, headers: Record<string, string> = {}): Promise<Json> {
  const response = await fetch(new URL(`/api/v1/${path}`, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`POST ${path} answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as Json
}
