import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { approve, startClosedGateway } from '../support/closed-gateway.ts'
import { freePort } from '../support/free-port.ts'
import { ownEnvironment } from '../support/gateway-child.ts'
import { until } from '../support/until.ts'

const ROOT = join(import.meta.dirname, '../..')
const INSPECTOR = join(ROOT, 'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js')
// A working copy from before this package may lack it; CI never does.
const isMissing = !existsSync(INSPECTOR) && process.env['CI'] === undefined

interface Run {
  readonly exit: number | null
  readonly said: unknown
}

/** The command line of the inspector in a home of its own; `asked` is told where it would send a browser. */
async function inspect(home: string, args: readonly string[], asked: (address: string) => Promise<void>): Promise<Run> {
  // Without a terminal it only asks for a person when it is told that a browser can be opened: `true` is that browser.
  const own = { HOME: home, MCP_INSPECTOR_SECRET_STORE: 'file', MCP_AUTO_OPEN_ENABLED: 'true', BROWSER: 'true' }
  const env = { ...ownEnvironment(), ...own }
  const child = spawn(process.execPath, [INSPECTOR, '--cli', ...args, '--format', 'json'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = once(child, 'close')
  const output = text(child.stdout)
  let told = ''
  child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()))
  const address = () => /navigate to: (http\S+)/.exec(told)?.[1]
  await until('it asks for a browser or ends', () => address() !== undefined || child.exitCode !== null)
  const wanted = address()
  if (wanted !== undefined) await asked(wanted)
  await closed
  const said = await output
  if (said === '') throw new Error(`it said nothing (${child.exitCode}): ${told}`)
  return { exit: child.exitCode, said: JSON.parse(said) as unknown }
}

/** R290: the bar of hosted and desktop clients, with a client that we have not written. */
test.skipIf(isMissing).each(['legacy', 'modern'])(
  'the inspector’s command line (%s) logs in with nothing but the URL and calls a tool (R290)',
  async (era) => {
    await using cleanup = new AsyncDisposableStack()
    const { gateway, directory } = await startClosedGateway(cleanup)
    const callback = `http://127.0.0.1:${await freePort()}/oauth/callback`
    const common = [gateway.mcp, '--transport', 'http', '--protocol-era', era, '--callback-url', callback]
    const call = [...common, '--method', 'tools/call', '--tool-name', 'lamp']
    let logins = 0
    const person = async (address: string): Promise<void> => {
      logins += 1
      expect((await fetch(await approve(gateway, address))).status).toBe(200)
    }
    const first = await inspect(directory, call, person)
    expect([first.exit, logins]).toEqual([0, 1])
    expect(JSON.stringify(first.said)).toContain('on')
    // What it has kept is good for the next run, without a person.
    const second = await inspect(directory, call, person)
    expect([second.exit, logins]).toEqual([0, 1])
    expect(JSON.stringify(second.said)).toContain('on')
  },
)
