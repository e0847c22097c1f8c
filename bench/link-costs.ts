// What each link of the call path costs, as a process of its own: node --import bench/link-switch.ts bench/link-costs.ts
// --upstream URL --rounds N --calls N --seconds S; prints one JSON line. The real parts, but no HTTP: calls begin where a surface hands
// them over and end where an upstream would be asked.
import { parseArgs } from 'node:util'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { loadConfig } from '#config/load'
import type { CallResult } from '#gateway/call'
import { Cancellation } from '#kernel/cancellation'
import type { JsonObject } from '#kernel/json'
import { readMessage } from '#kernel/rpc-message'
import { callOf } from '#mcp/primitives'
import { createLogger } from '#telemetry/log'
import { openFoundation } from '../src/foundation.ts'
import { callText } from './mcp-client.ts'

/** Microseconds of processor time a call, one round after the other. */
export interface LinkCosts {
  /** With all links. */
  readonly all: number[]
  readonly none: number[]
  /** By link: with all others, with no other. */
  readonly without: Record<string, number[]>
  readonly alone: Record<string, number[]>
}

const { values } = parseArgs({
  options: {
    upstream: { type: 'string', default: '' },
    rounds: { type: 'string', default: '9' },
    calls: { type: 'string', default: '3000' },
    /** No round starts after them. */
    seconds: { type: 'string', default: '30' },
  },
})
const CONNECTIONS = 16
const POLL_MS = 2
const WARM_ROUNDS = 2
const CALLS = Number(values.calls)

const place = mkdtempSync(join(tmpdir(), 'metamcp-links-'))
const file = join(place, 'metamcp.json')
writeFileSync(file, JSON.stringify({ servers: { bench: { url: values.upstream, prefix: 'bench' } } }))
const config = loadConfig({
  flags: { config: file, dataDir: join(place, 'data') },
  env: { META_MCP_ANONYMOUS_ROLE: 'user', META_MCP_LOGGING_LEVEL: 'ERROR' },
})
const logs = createLogger({ level: config.logLevel, pretty: false })
await using resources = new AsyncDisposableStack()
resources.defer(() => rmSync(place, { recursive: true }))
const core = await openFoundation(config, { logs, environment: process.env }, resources)
const { principal } = core.access
if (!principal) throw new Error('there is no anonymous caller')

core.outbound.upstreams.start()
const name = await echoName()
const text = callText(1, name, 'a message')
const { off, names } = globalThis.linkSwitch
const result = { text: '{"content":[{"type":"text","text":"a message"}]}', server: 'bench', era: 'legacy' } as const
let asked: ((result: CallResult) => void)[] = []
// Answers come with the next turn of the loop, as from a socket.
globalThis.linkSwitch.dispatch = () => {
  const { promise, resolve } = Promise.withResolvers<CallResult>()
  if (asked.push(resolve) === 1) setImmediate(answerAll)
  return promise
}

function answerAll(): void {
  const waiting = asked
  asked = []
  for (const resolve of waiting) resolve({ ...result, value: JSON.parse(result.text) as CallResult['value'] })
}

async function echoName(): Promise<string> {
  for (;;) {
    const tool = core.registry.catalog.view()?.tools.find(({ exposedName }) => exposedName.endsWith('echo'))
    if (tool) return tool.exposedName
    await wait(POLL_MS)
  }
}

/** Of `CALLS` calls with what they leave to be written. */
async function microseconds(without: readonly string[]): Promise<number> {
  off.clear()
  for (const each of without) off.add(each)
  const before = process.cpuUsage()
  let left = CALLS
  const work = async (): Promise<void> => {
    for (; left > 0; left -= 1) await core.gateway.run(newCall())
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, work))
  await core.audit.flush()
  while (core.workload.unwritten() > 0) await wait(POLL_MS)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / CALLS
}

function newCall(): ReturnType<typeof callOf> {
  const request = readMessage(text, JSON.parse(text) as JsonObject)
  if (request.kind !== 'request') throw new Error('no request')
  const caller = { sessionKey: 'bench', profile: { capabilities: {} } }
  return callOf(request, { caller, principal: principal!, signal: new Cancellation(), namespace: undefined })
}

const empty = (): Record<string, number[]> => Object.fromEntries(names.map((each) => [each, []]))
const costs: LinkCosts = { all: [], none: [], without: empty(), alone: empty() }
const turns: readonly (readonly [into: number[], without: readonly string[]])[] = [
  [costs.all, []],
  [costs.none, names],
  ...names.map((each) => [costs.without[each]!, [each]] as const),
  ...names.map((each) => [costs.alone[each]!, names.filter((other) => other !== each)] as const),
]
const until = performance.now() + Number(values.seconds) * 1000
for (let round = -WARM_ROUNDS; round < Number(values.rounds); round += 1) {
  if (round > 0 && performance.now() > until) break

  for (let turn = 0; turn < turns.length; turn += 1) {
    const [into, without] = turns[(turn + round + WARM_ROUNDS) % turns.length]!
    const spent = await microseconds(without)
    if (round >= 0) into.push(spent)
  }
}
console.log(JSON.stringify(costs))
