import { join } from 'node:path'
import { startBrowser } from './browser.ts'
import { startGatewayChild, type GatewayChild } from './gateway-child.ts'
import { OWNER } from './oauth-client.ts'
import { startBackend } from './recording-backend.ts'
import { newDirectory } from './test-app.ts'

const ENV = {
  META_MCP_ANONYMOUS_ROLE: 'none',
  META_MCP_ADMIN_USERNAME: OWNER.username,
  META_MCP_ADMIN_PASSWORD: OWNER.password,
}

/** A gateway in a process of its own where nobody comes without a credential; its one tool is `lamp`. */
export async function startClosedGateway(
  cleanup: AsyncDisposableStack,
): Promise<{ gateway: GatewayChild; directory: string }> {
  const backend = cleanup.use(await startBackend())
  backend.on('/lamp', '{"on":true}')
  const { path: directory } = cleanup.use(await newDirectory())
  const tools = { lamp: { endpoint: `${backend.url}/lamp`, description: 'Switches the light' } }
  const gateway = cleanup.use(
    await startGatewayChild({ directory: join(directory, 'gateway'), file: { tools }, env: ENV }),
  )
  return { gateway, directory }
}

/** Plays the person: logs in and allows; answers where the browser is sent then, with the code. */
export async function approve({ url }: Pick<GatewayChild, 'url'>, address: string | URL): Promise<URL> {
  const browser = startBrowser(url)
  const login = await browser.open(address)
  const consent = await browser.submit(login, { ...OWNER, do: 'login' })
  const { url: back } = await browser.submit(consent, { do: 'allow' })
  if (!back.searchParams.has('code')) throw new Error(`the browser came back without a code: ${back.href}`)
  return back
}
