import { apiOf, login } from '../people.ts'
import { median, show, table, withinRounds, type Bar } from '../report.ts'
import type { Findings, Scenario } from '../scenario.ts'
import {
  CALL_TOOLS,
  firstCorrectCall,
  scratch,
  started,
  startGateway,
  serversOf,
  startUpstream,
  type GatewayTarget,
  type Target,
} from '../targets.ts'
import { measure, roundsOf, warmUp, wrongIn, type Window } from '../windows.ts'

const CONNECTIONS = 16
const ANONYMOUS = 'anonymous'
const LIMIT_US = 15

/** What credentials and the decisions of roles cost a warm tools/call: one gateway, several callers in turn. */
export const auth: Scenario = {
  name: 'auth',
  seconds: 75,
  async run(pace) {
    using folder = scratch()
    await using stack = new AsyncDisposableStack()
    const upstream = started(stack, await startUpstream(CALL_TOOLS))
    const gateway = started(stack, await startGateway(folder.path, serversOf(upstream), { core: 'measured' }))
    await firstCorrectCall(gateway, CALL_TOOLS)
    const targets = await callers(gateway)
    for (const target of targets) await firstCorrectCall(target, 1)
    const options = { ...roundsOf(auth, pace), mode: 'call' as const, least: 3000, connections: [CONNECTIONS] }
    await warmUp(targets, options, pace.isQuick ? 3000 : 15_000)
    return findings(await measure(targets, options))
  },
}

/** The same gateway with each kind of credential. */
async function callers(gateway: GatewayTarget): Promise<Target[]> {
  const { administrator, apiKey = '' } = gateway
  if (administrator === undefined) throw new Error('the gateway made no administrator')
  const api = apiOf(gateway, await login(gateway, administrator))
  await api.post('roles', rules())
  const person = async (username: string, role: string): Promise<string> => {
    const who = { username, password: 'what a long password' }
    await api.post('users', { ...who, roles: [role] })
    return login(gateway, who)
  }
  const patterned = await person('patterned', 'patterned')
  const { key } = await apiOf(gateway, patterned).post<{ key: string }>('api-keys', { name: 'bench' })
  return [
    { ...gateway, name: ANONYMOUS },
    { ...gateway, name: 'API key', authorization: `Bearer ${apiKey}` },
    { ...gateway, name: 'JWT', authorization: await person('plain', 'user') },
    { ...gateway, name: 'API key, role with patterns', authorization: `Bearer ${key}` },
    { ...gateway, name: 'JWT, role with patterns', authorization: patterned },
  ]
}

/** A role as large installations have them: many patterns, conditions and denials. */
function rules(): object {
  const allowed = Array.from({ length: 20 }, (_, i) => `tools:execute:team${i}_*_read*`)
  const denied = Array.from({ length: 10 }, (_, i) => `tools:execute:*_delete_${i}*`)
  const safe = { permission: 'tools:execute:*ech*', when: { servers: ['ben*'], max_security_level: 5 } }
  const own = ['tools:read', 'tools:execute:bench*search*', safe]
  return { name: 'patterned', permissions: [...allowed, ...own], deny: denied }
}

function findings(windows: readonly Window[]): Findings {
  const names = [...new Set(windows.map(({ target }) => target))]
  const added = (name: string): number =>
    withinRounds(windows, [name, ANONYMOUS], CONNECTIONS, (a, b) => a.cpuUs - b.cpuUs)
  const rows = names.map((name) => {
    const own = windows.filter(({ target }) => target === name)
    const figure = (pick: (window: Window) => number): number => median(own.map(pick))
    return [
      name,
      show(
        figure(({ perSecond }) => perSecond),
        0,
      ),
      show(
        figure(({ cpuUs }) => cpuUs),
        1,
      ),
      show(added(name), 1),
    ]
  })
  const bars = names
    .filter((name) => name !== ANONYMOUS)
    .map((name): Bar => ({ what: `CPU added by ${name}`, limit: LIMIT_US, unit: 'µs', measured: added(name) }))
  return {
    report: [
      `tools/call at ${CONNECTIONS} connections, one gateway, its callers in turn; what is added to the call of somebody without a credential (whose role decides, too):`,
      table(['caller', 'per second', 'CPU µs', 'added µs'], rows),
    ],
    bars,
    wrong: wrongIn(windows),
  }
}
