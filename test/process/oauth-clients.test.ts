import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  Client,
  StreamableHTTPClientTransport,
  UnauthorizedError,
  type OAuthClientInformationMixed,
  type OAuthClientProvider,
  type OAuthTokens,
} from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { expect, test } from 'vitest'
import { approve, startClosedGateway } from '../support/closed-gateway.ts'
import { freePort } from '../support/free-port.ts'
import { REDIRECT } from '../support/oauth-client.ts'
import { until } from '../support/until.ts'

const ROOT = join(import.meta.dirname, '../..')
const MCP_REMOTE = join(ROOT, 'node_modules/mcp-remote/dist/proxy.js')
const CONFORMANCE = join(ROOT, 'node_modules/@modelcontextprotocol/conformance/dist/index.js')

/** What the SDK keeps for a client of its own: everything in memory, and the address that it would open. */
class MemoryProvider implements OAuthClientProvider {
  readonly redirectUrl = REDIRECT
  readonly clientMetadata = { redirect_uris: [REDIRECT], client_name: 'SDK' }
  opened: URL | undefined
  known: OAuthTokens | undefined
  #client: OAuthClientInformationMixed | undefined
  #verifier = ''

  clientInformation(): OAuthClientInformationMixed | undefined {
    return this.#client
  }

  saveClientInformation(client: OAuthClientInformationMixed): void {
    this.#client = client
  }

  tokens(): OAuthTokens | undefined {
    return this.known
  }

  saveTokens(tokens: OAuthTokens): void {
    this.known = tokens
  }

  redirectToAuthorization(url: URL): void {
    this.opened = url
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier
  }

  codeVerifier(): string {
    return this.#verifier
  }
}

test.each(['legacy', '2026-07-28'] as const)(
  'the SDK’s own client (%s) logs in with nothing but the URL, calls a tool, and refreshes',
  async (era) => {
    await using cleanup = new AsyncDisposableStack()
    const { gateway } = await startClosedGateway(cleanup)
    const authProvider = new MemoryProvider()
    const open = async () => {
      const mode = era === 'legacy' ? era : { pin: era }
      const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
      cleanup.defer(() => client.close())
      const transport = new StreamableHTTPClientTransport(new URL(gateway.mcp), { authProvider })
      return { client, transport, connect: () => client.connect(transport) }
    }
    const first = await open()
    await expect(first.connect()).rejects.toThrow(UnauthorizedError)
    const back = await approve(gateway, authProvider.opened ?? '')
    await first.transport.finishAuth(back.searchParams)
    const second = await open()
    await second.connect()
    const { content } = await second.client.callTool({ name: 'lamp', arguments: {} })
    expect(JSON.stringify(content)).toContain('on')
    // An access token that is no good any more: the client gets another by itself.
    const { known } = authProvider
    if (!known) throw new Error('there are no tokens')
    authProvider.known = { ...known, access_token: 'gone' }
    expect(JSON.stringify((await second.client.callTool({ name: 'lamp', arguments: {} })).content)).toContain('on')
    expect(authProvider.known.refresh_token).not.toBe(known.refresh_token)
  },
)

test('mcp-remote logs in through a browser with nothing but the URL and calls a tool', async () => {
  await using cleanup = new AsyncDisposableStack()
  const { gateway, directory } = await startClosedGateway(cleanup)
  // Stands where the desktop's browser would: notes the address that is to be opened.
  const opened = join(directory, 'opened')
  const opener = join(directory, 'xdg-open')
  await writeFile(opener, `#!/bin/sh\nprintf '%s' "$1" > '${opened}.part' && mv '${opened}.part' '${opened}'\n`)
  await chmod(opener, 0o755)
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'legacy' } })
  cleanup.defer(() => client.close())
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MCP_REMOTE, gateway.mcp, '--allow-http', '--transport', 'http-only'],
    env: {
      PATH: `${directory}:${process.env['PATH'] ?? ''}`,
      HOME: directory,
      MCP_REMOTE_CONFIG_DIR: join(directory, 'mcp-remote'),
      BROWSER: opener,
    },
    stderr: 'pipe',
  })
  let said = ''
  transport.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const connected = client.connect(transport, { timeout: 45_000 })
  connected.catch(() => undefined)
  const address = async () =>
    /https?:\/\/\S+\/oauth\/authorize\?\S+/.exec(said)?.[0] ?? (await readFile(opened, 'utf8').catch(() => ''))
  await until('it asks for a browser', async () => (await address()) !== '')
  const back = await approve(gateway, await address())
  expect((await fetch(back)).status).toBe(200)
  await connected
  const { tools } = await client.listTools()
  expect(tools.map(({ name }) => name)).toContain('lamp')
  expect(JSON.stringify((await client.callTool({ name: 'lamp', arguments: {} })).content)).toContain('on')
})

test('the conformance suite’s scenarios for authorization servers pass', async () => {
  await using cleanup = new AsyncDisposableStack()
  const { gateway } = await startClosedGateway(cleanup)
  const port = await freePort()
  const registered = await fetch(`${gateway.url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: [`http://127.0.0.1:${port}/callback`] }),
  })
  const { client_id: clientId } = (await registered.json()) as { client_id: string }
  const settings = ['--url', gateway.url, '--client-id', clientId, '--resource', gateway.mcp, '-p', String(port)]
  const suite = spawn(process.execPath, [CONFORMANCE, 'authorization', ...settings], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  cleanup.defer(() => void suite.kill())
  const closed = once(suite, 'close')
  let said = ''
  for (const stream of [suite.stdout, suite.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const address = () => /http:\S+\/oauth\/authorize\?\S+/.exec(said)?.[0]
  await until('it asks for a browser', () => said.includes('Callback server started') && address() !== undefined)
  await fetch(await approve(gateway, address() ?? ''))
  await closed
  expect(said).toContain('authorization-server-metadata-endpoint: 2 passed, 0 failed')
  expect(said).toContain('authorization-code-grant: 1 passed, 0 failed')
  expect(suite.exitCode).toBe(0)
})
