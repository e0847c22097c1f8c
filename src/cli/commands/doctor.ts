import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import { dataDirOf, loadConfig } from '#config/load'
import { health } from '#contract/health'
import { serverPage, type Server } from '#contract/server'
import { messageOf } from '#kernel/errors'
import { connect, gatewayCommand, print, type GatewayOptions } from '../command.ts'
import { readAnswer, type GatewayClient } from '../gateway-client.ts'
import type { CliIo } from '../io.ts'
import { listAll } from '../list-all.ts'
import { plainLine } from '../plain-text.ts'
import type { CliContext } from '../program.ts'

interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
  /** What to do about it. */
  readonly advice?: string
}

const NODE_MIN = [24, 12] as const

export function addDoctorCommand(program: Command, { io, exitWith }: CliContext): void {
  gatewayCommand(program, {
    usage: 'doctor',
    summary: 'look for what commonly goes wrong; exits with 1 when something is',
    examples: ['doctor'],
  }).action(async (options: GatewayOptions) => {
    const checks = [
      nodeCheck(),
      settingsCheck(io),
      await dataDirCheck(io),
      ...(await gatewayChecks(() => connect(options, io))),
    ]
    const failures = checks.filter((check) => !check.ok).length
    print(io, options, { json: { ok: failures === 0, checks }, text: () => checks.map(checkText).join('') })
    if (failures === 0) return
    io.stderr.write(`metamcp: ${failures === 1 ? 'One check' : `${failures} checks`} failed\n`)
    exitWith(1)
  })
}

function checkText({ name, ok, detail, advice }: Check): string {
  const line = `${ok ? 'ok  ' : 'FAIL'}  ${plainLine(name)}: ${plainLine(detail)}\n`
  return advice === undefined ? line : `${line}      ${plainLine(advice)}\n`
}

function nodeCheck(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const ok = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])
  const advice = ok ? {} : { advice: `Install Node.js ${NODE_MIN.join('.')} or later` }
  return { name: 'Node.js', ok, detail: process.versions.node, ...advice }
}

function settingsCheck(io: CliIo): Check {
  try {
    const { file } = loadConfig({ env: io.env })
    return { name: 'settings', ok: true, detail: file ?? 'no config file' }
  } catch (error) {
    return { name: 'settings', ok: false, detail: messageOf(error) }
  }
}

async function dataDirCheck(io: CliIo): Promise<Check> {
  const directory = dataDirOf(io.env)
  try {
    await accessNearest(directory)
    return { name: 'data dir', ok: true, detail: directory }
  } catch {
    const advice = 'Make it writable for this user, or name another one in META_MCP_DATA_DIR'
    return { name: 'data dir', ok: false, detail: `${directory} cannot be written`, advice }
  }
}

/** A directory that does not exist yet is made at the first start: then the nearest one above it counts. */
async function accessNearest(directory: string): Promise<void> {
  try {
    await access(directory, constants.W_OK | constants.X_OK)
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (!isMissing || dirname(directory) === directory) throw error
    await accessNearest(dirname(directory))
  }
}

async function gatewayChecks(find: () => GatewayClient): Promise<Check[]> {
  try {
    const client = find()
    const { healthy, status, version } = readAnswer(health, await client.get('health'), client.url)
    const gateway = { name: 'gateway', ok: healthy, detail: `${status}, version ${version} at ${client.url}` }
    const shape = { schema: serverPage, items: (page: { servers: Server[] }) => page.servers, raw: 'servers' }
    const list = await listAll(client, 'proxy/servers', shape)
    return [gateway, ...list.items.map(serverCheck)]
  } catch (error) {
    return [{ name: 'gateway', ok: false, detail: messageOf(error) }]
  }
}

function serverCheck(server: Server): Check {
  const { name, status, status_reason: reason, last_error: lastError, tool_count: count } = server
  const ok = status !== 'offline' && status !== 'degraded'
  const detail = `${status}, ${count} tools${reason === '' ? '' : `: ${reason}`}`
  const advice = ok ? undefined : adviceFor(name, `${reason} ${lastError ?? ''}`)
  return { name: `server ${name}`, ok, detail, ...(advice === undefined ? {} : { advice }) }
}

/** Common mistakes, by what servers and systems say about them. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /ENOENT|not found|no such file|cannot be found/i,
    'Is the command installed, and on the PATH of the gateway? A full path helps',
  ],
  [/EACCES|permission denied/i, 'The gateway may not run this command: check the permissions of the file'],
  [/ECONNREFUSED|refused/i, 'Nothing listens at this address: is the server running, and the port right?'],
  [/ENOTFOUND|EAI_AGAIN|getaddrinfo/i, 'The host name is not known here: check its spelling and the network'],
  [/\b401\b|\b403\b|unauthori[sz]ed|forbidden/i, 'The server wants credentials: give them with --header'],
  [/certificate|self.signed|SSL|TLS/i, 'The certificate of the server is not trusted here: see NODE_EXTRA_CA_CERTS'],
  [/time(d )?.?out/i, 'The server was too slow: try its command by hand; the first npx or uvx downloads a package'],
]

function adviceFor(name: string, text: string): string | undefined {
  return (
    ADVICE.find(([pattern]) => pattern.test(text))?.[1] ??
    `See its log: GET /api/v1/proxy/servers/${encodeURIComponent(name)}/logs`
  )
}
