import { expect, test } from 'vitest'
import { ALL_SCOPES, oauthClient, startClosedApp } from '../support/oauth-client.ts'
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
