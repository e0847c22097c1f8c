import { expect, test } from 'vitest'
import { ALL_SCOPES, oauthClient, OWNER, startClosedApp } from '../support/oauth-client.ts'
import { legacyRaw } from '../support/raw-clients.ts'
import { startBackend } from '../support/recording-backend.ts'

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

test('a client with nothing but the URL finds the authorization server, logs in and calls a tool', async () => {
  await using backend = await startBackend()
  backend.on('/lamp', '{"on":true}')
  const file = { tools: { lamp: { endpoint: `${backend.url}/lamp`, description: 'Switches the light' } } }
  await using app = await startClosedApp({ file })
  const client = oauthClient(app)
  const refused = await fetch(app.listening.mcp, { method: 'POST', body: '{}' })
  expect(refused.status).toBe(401)
  const challenge = refused.headers.get('www-authenticate') ?? ''
  expect(challenge).toBe(
    `Bearer resource_metadata="${client.url}/.well-known/oauth-protected-resource/mcp", scope="${ALL_SCOPES}"`,
  )
  const tokens = await client.logIn()
  await using session = await legacyRaw(app.listening.mcp, { headers: bearer(tokens.access_token) })
  expect(await session.call('tools/call', { name: 'lamp', arguments: {} })).toHaveProperty('result')
})

/** A20, A24: a user's session is not his client's, nor one client's another's. */
test('A20 a client of OAuth goes on with no session but its own', async () => {
  await using app = await startClosedApp()
  const [one, other] = [await oauthClient(app).logIn(), await oauthClient(app).logIn()]
  expect(one.clientId).not.toBe(other.clientId)
  const login = await app.api.send<{ access_token: string }>('POST', 'auth/login', OWNER)
  const credentials = [one.access_token, other.access_token, login.body.access_token]
  for (const token of credentials) {
    await using session = await legacyRaw(app.listening.mcp, { headers: bearer(token) })
    for (const presented of credentials) {
      const message = { jsonrpc: '2.0', id: 7, method: 'tools/list' }
      const { status } = await session.post(message, { headers: bearer(presented) })
      expect(status).toBe(presented === token ? 200 : 404)
    }
  }
})
