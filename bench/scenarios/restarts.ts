import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Crossing } from '../crossing.ts'
import { startNode } from '../processes.ts'
import { table } from '../report.ts'
import type { Findings, Scenario } from '../scenario.ts'
import { CALL_TOOLS, firstCorrectCall, scratch, started, startGateway, startUpstream, type Target } from '../targets.ts'

const SERVERS = ['a', 'b', 'c']
const CONNECTIONS = 256
const LIFE_MS = 1500
/** A breaker that rests most of the time would leave little to see. */
const BREAKER = { META_MCP_CIRCUIT_BREAKER_FAILURE_THRESHOLD: '200', META_MCP_CIRCUIT_BREAKER_RECOVERY_SECONDS: '1' }
const ENV = { ...BREAKER, META_MCP_LOGGING_LEVEL: 'ERROR' }

/** Whose answer is whose, while one server after the other is killed and comes back. */
export const restarts: Scenario = {
  name: 'restarts',
  seconds: 25,
  async run({ isQuick }) {
    using folder = scratch()
    await using stack = new AsyncDisposableStack()
    const upstreams = new Map<string, Awaited<ReturnType<typeof startUpstream>>>()
    stack.defer(async () => {
      for (const { process } of upstreams.values()) await process.stop()
    })
    for (const name of SERVERS) upstreams.set(name, await startUpstream(CALL_TOOLS, `${name}:`))
    const servers = Object.fromEntries([...upstreams].map(([name, { url }]) => [name, { url: url.href, prefix: name }]))
    const gateway = started(stack, await startGateway(folder.path, servers, { core: 'measured', env: ENV }))
    await firstCorrectCall(gateway, CALL_TOOLS * SERVERS.length, `${SERVERS[0]}:`)
    const client = clientOf(gateway, isQuick ? 5 : 20)
    await using _client = client
    const ended = { yet: false }
    const said = client.firstLine().finally(() => (ended.yet = true))
    let kills = 0
    for (; !ended.yet; kills += 1) {
      const name = SERVERS[kills % SERVERS.length] ?? ''
      await Promise.race([wait(LIFE_MS / SERVERS.length), said])
      const { process, url } = upstreams.get(name)!
      process.child.kill('SIGKILL')
      await process.stop()
      upstreams.set(name, await startUpstream(CALL_TOOLS, `${name}:`, url.port))
    }
    return findings(JSON.parse(await said) as Crossing, kills)
  },
}

function clientOf({ url }: Target, seconds: number): ReturnType<typeof startNode> {
  const args = ['--url', url.href, '--servers', SERVERS.join(), '--connections', CONNECTIONS, '--seconds', seconds]
  return startNode([join(import.meta.dirname, '../crossing.ts'), ...args.map(String)], { core: 'harness' })
}

function findings({ right, refused, wrong }: Crossing, kills: number): Findings {
  const rows = [
    ...SERVERS.map((name) => [`right, of server ${name}`, String(right[name] ?? 0)]),
    ...Object.entries(refused).map(([why, count]) => [`refused: ${why}`, String(count)]),
    ['wrong', String(wrong.length)],
  ]
  const silent = SERVERS.filter((name) => !right[name])
  return {
    report: [
      `${CONNECTIONS} connections, three servers that sign their answers; ${kills} kills, each restarted on its port:`,
      table(['answers', 'count'], rows),
    ],
    bars: [
      { what: 'wrong or crossed answers while servers restart', limit: 0, unit: 'answers', measured: wrong.length },
    ],
    wrong: [...wrong, ...silent.map((name) => `server ${name} never answered`)],
  }
}
