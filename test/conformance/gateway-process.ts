import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { firstLine, startNode } from './child-process.ts'

export const root = new URL('../..', import.meta.url).pathname

export type Gateway = AsyncDisposable & { url: string; log: () => string }
/** Everyone on this machine may do everything. */
export const OPEN = { META_MCP_ANONYMOUS_ROLE: 'admin' }
type Servers = Record<string, Record<string, unknown>>
type ServerStatus = { name: string; status: string }

/** A gateway of its own: free port, fresh data directory. */
export async function startGateway(
  servers: (directory: string) => Servers,
  env: Record<string, string> = OPEN,
): Promise<Gateway> {
  const directory = await mkdtemp(join(tmpdir(), 'metamcp-conformance-'))
  const config = join(directory, 'metamcp.yaml')
  await writeFile(config, JSON.stringify({ servers: servers(directory) }))
  const args = ['bin/metamcp.js', 'serve', '--config', config, '--port', '0', '--data-dir', join(directory, 'data')]
  const child = startNode(
    args.map((arg, index) => (index === 0 ? join(root, arg) : arg)),
    env,
  )
  const dispose = async (): Promise<void> => {
    await child.stop()
    await rm(directory, { recursive: true, force: true })
  }
  try {
    const endpoint = await firstLine(child, endpointOf)
    return { url: endpoint.replace('127.0.0.1', 'localhost'), log: child.stderr, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

function endpointOf(line: string): string | undefined {
  try {
    const { mcp } = JSON.parse(line) as { mcp?: unknown }
    return typeof mcp === 'string' ? mcp : undefined
  } catch {
    return undefined
  }
}

/** False: not all were online in time. */
export async function waitUntilOnline(
  gateway: Pick<Gateway, 'url'>,
  names: string[],
  timeoutMs: number,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs
  while (Date.now() < deadline) {
    const servers = await listServers(gateway)
    if (names.every((name) => servers.some((server) => server.name === name && server.status === 'online'))) return true
    await sleep(100)
  }
  return false
}

async function listServers(gateway: Pick<Gateway, 'url'>): Promise<ServerStatus[]> {
  const response = await fetch(new URL('/api/v1/proxy/servers', gateway.url))
  if (!response.ok) throw new Error(`GET proxy/servers answered ${response.status}: ${await response.text()}`)
  const body = (await response.json()) as { servers?: ServerStatus[] } | ServerStatus[]
  return Array.isArray(body) ? body : (body.servers ?? [])
}
