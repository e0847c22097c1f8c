import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Connection } from './connection.ts'
import { callText, answerTo, echoProblem, findEcho, listText, listTools, openSession, post } from './mcp-client.ts'
import { startNode, type Process, type StartOptions } from './processes.ts'

const ROOT = join(import.meta.dirname, '..')
const READY_TIMEOUT_MS = 60_000
const POLL_MS = 5

export const isGatewayBuilt = existsSync(join(ROOT, 'dist/main.js'))

/** Something that is measured. `direct` has no process between client and upstream. */
export interface Target {
  readonly name: string
  readonly url: URL
  readonly process?: Process
  /** The header that its clients show. */
  readonly authorization?: string
}

/** The gateway with what it said at its first start. */
export interface GatewayTarget extends Target {
  readonly process: Process
  readonly administrator?: { readonly username: string; readonly password: string }
  readonly apiKey?: string
}

export interface GatewayOptions extends StartOptions {
  readonly name?: string
  /** Of Node. */
  readonly flags?: readonly string[]
}

/** As bin/metamcp.js sets them where it starts itself again. */
const MALLOC = { MALLOC_MMAP_THRESHOLD_: '32768', MALLOC_TRIM_THRESHOLD_: '65536' }
/** Those of bin/metamcp.js: who gives the first of them gives all. */
export const HEAP_FLAGS = ['--max-semi-space-size=8', '--heap-growing-percent=80', '--expose-gc']

export const CALL_TOOLS = 10

/** A folder that is gone at the end of the scope. */
export function scratch(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'metamcp-bench-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

export async function startUpstream(
  tools: number,
  ...signAndPort: readonly string[]
): Promise<Target & { readonly process: Process }> {
  return startOn('direct', ['bench/upstream.ts', String(tools), ...signAndPort], 'harness')
}

export function startBareProxy(upstream: Target): Promise<Target> {
  return startOn('bare proxy', ['bench/bare-proxy.ts', upstream.url.origin], 'measured')
}

export function startBufferServer(file: string): Promise<Target> {
  return startOn('own bytes', ['bench/buffer-server.ts', file], 'measured')
}

async function startOn(
  name: string,
  args: string[],
  core: 'harness' | 'measured',
): Promise<Target & { process: Process }> {
  const process = startNode([join(ROOT, args[0] ?? ''), ...args.slice(1)], { core })
  const port = await process.firstLine()
  return { name, url: new URL(`http://127.0.0.1:${port}/mcp`), process }
}

/** Direct, bare proxy and the gateway, each in front of the same upstream and ready. */
export async function startTargets(stack: AsyncDisposableStack, folder: string, tools: number): Promise<Target[]> {
  const upstream = started(stack, await startUpstream(tools))
  const proxy = started(stack, await startBareProxy(upstream))
  const gateway = started(stack, await startGateway(folder, serversOf(upstream), { core: 'measured' }))
  const targets = [upstream, proxy, gateway]
  for (const target of targets) await firstCorrectCall(target, tools)
  return targets
}

/** Stops the target when the stack is left. */
export function started<T extends Target>(stack: AsyncDisposableStack, target: T): T {
  if (target.process !== undefined) stack.use(target.process)
  return target
}

/** The part `servers` of a gateway's config file with one upstream. */
export function serversOf(upstream: Target): object {
  return { bench: { url: upstream.url.href, prefix: 'bench' } }
}

/** Starts the gateway as users do; `servers` as in its config file. */
export async function startGateway(
  folder: string,
  servers: object,
  { name = 'gateway', flags = [], env, ...options }: GatewayOptions = {},
): Promise<GatewayTarget> {
  const config = join(folder, `${name}.yaml`)
  writeFileSync(config, JSON.stringify({ servers }))
  const args = ['serve', '--config', config, '--port', '0', '--data-dir', join(folder, `${name}-data`)]
  const process = startNode([...flags, join(ROOT, 'bin/metamcp.js'), ...args], {
    ...options,
    env: { HOME: folder, META_MCP_ANONYMOUS_ROLE: 'user', ...MALLOC, ...env },
    quiet: true,
  })
  const { mcp, administrator, api_key: apiKey } = JSON.parse(await process.firstLine()) as FirstLine
  const url = new URL(mcp)
  url.hostname = '127.0.0.1'
  return { name, url, process, ...(administrator && { administrator }), ...(apiKey !== undefined && { apiKey }) }
}

interface FirstLine {
  readonly mcp: string
  readonly administrator?: { readonly username: string; readonly password: string }
  readonly api_key?: string
}

/** Waits until the target lists so many tools and its echo tool echoes, behind `sign`; answers when that was. */
export async function firstCorrectCall(target: Target, tools: number, sign = ''): Promise<number> {
  const { url, name } = target
  const end = performance.now() + READY_TIMEOUT_MS
  let last = 'nothing'
  while (performance.now() < end) {
    const connection = new Connection(Number(url.port), 10_000)
    try {
      last = await tryCall(connection, target, { tools, sign })
      if (last === '') return performance.now()
    } catch (error) {
      last = String(error)
    } finally {
      connection.close()
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new Error(`${name} was not ready in time: ${last}`)
}

async function tryCall(
  connection: Connection,
  { url, authorization }: Target,
  { tools, sign }: { readonly tools: number; readonly sign: string },
): Promise<string> {
  const head = await openSession(connection, url, authorization)
  const names = await listTools(connection, head)
  const echo = findEcho(names)
  if (echo === undefined || names.length < tools) return `lists ${names.length} of ${tools} tools`
  const { body } = await connection.request(post(head, callText(7, echo, 'first')))
  return echoProblem(answerTo(body, 7), `${sign}first`) ?? ''
}

/** The raw `result` of the target's first list page. */
export async function listResult({ url }: Target): Promise<string> {
  const connection = new Connection(Number(url.port))
  try {
    const { body } = await connection.request(post(await openSession(connection, url), listText(1)))
    const text = body.startsWith('{') ? body : (/^data: ?(.+)$/m.exec(body)?.[1] ?? '')
    return text.slice(text.indexOf('"result":') + '"result":'.length, text.lastIndexOf('}'))
  } finally {
    connection.close()
  }
}
