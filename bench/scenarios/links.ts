import { join } from 'node:path'
import { openInspector } from '../inspector.ts'
import type { LinkCosts } from '../link-costs.ts'
import { startNode } from '../processes.ts'
import { sharesOf, type Shares } from '../profile.ts'
import { lowerQuartile, show, table } from '../report.ts'
import type { Pace, Scenario } from '../scenario.ts'
import {
  CALL_TOOLS,
  firstCorrectCall,
  HEAP_FLAGS,
  scratch,
  serversOf,
  started,
  startGateway,
  startUpstream,
  type Target,
} from '../targets.ts'
import { load } from '../windows.ts'

const CONNECTIONS = 16
const ROWS = 15
const LINKS_MS_MAX = 240_000
const FILE = join(import.meta.dirname, '../link-costs.ts')
const SWITCH = join(import.meta.dirname, '../link-switch.ts')

/** Where the processor time of a warm tools/call goes: link by link, and around the call path. */
export const links: Scenario = {
  name: 'links',
  seconds: 45,
  async run(pace) {
    using folder = scratch()
    await using stack = new AsyncDisposableStack()
    const upstream = started(stack, await startUpstream(CALL_TOOLS))
    const costs = await linkCosts(upstream, pace)
    const { cpuUs, shares } = await profile(upstream, folder.path, pace)
    return {
      report: [
        `CPU of each link in µs a call, over ${costs.all.length} rounds (lower quartiles): what a call saves without it, and what it costs alone. Measured in a process with all real parts (SQLite, audit, history; what they write counts) whose links are switched off one by one; no HTTP, and the server answers by itself:`,
        linkTable(costs),
        `Where the whole call goes, by a profile of the gateway at ${CONNECTIONS} connections (${show(cpuUs, 1)} µs CPU a call while profiled):`,
        shareTable('place', shares.byPlace, cpuUs),
        shareTable('function', shares.byFunction, cpuUs),
      ],
      bars: [],
      wrong: [],
    }
  },
}

async function linkCosts({ url }: Target, { isQuick }: Pace): Promise<LinkCosts> {
  const args = ['--upstream', url.href, '--rounds', isQuick ? '2' : '16', '--calls', isQuick ? '1000' : '3000']
  await using measuring = startNode(['--import', SWITCH, FILE, ...args], { core: 'measured' })
  return JSON.parse(await measuring.firstLine(LINKS_MS_MAX)) as LinkCosts
}

function linkTable({ all, none, without, alone }: LinkCosts): string {
  const [whole, bare] = [lowerQuartile(all), lowerQuartile(none)]
  const rows = Object.keys(without).map((name) => [
    name,
    show(whole - lowerQuartile(without[name] ?? []), 1),
    show(lowerQuartile(alone[name] ?? []) - bare, 1),
  ])
  rows.push(['all of them', show(whole - bare, 1), show(whole - bare, 1)])
  rows.push(['the gateway around them (call, route, roster)', show(bare, 1), show(bare, 1)])
  return table(['link', 'saved without it', 'alone'], rows)
}

/** What a warm gateway of its own does under load. */
async function profile(
  upstream: Target,
  folder: string,
  { isQuick }: Pace,
): Promise<{ cpuUs: number; shares: Shares }> {
  const options = { core: 'measured' as const, flags: HEAP_FLAGS, isInspected: true }
  const gateway = await startGateway(folder, serversOf(upstream), options)
  await using process = gateway.process
  await firstCorrectCall(gateway, CALL_TOOLS)
  using inspector = await openInspector(await process.inspector())
  const warm = { mode: 'call' as const, warmSeconds: 0, seconds: 30, calls: isQuick ? 5000 : 50_000 }
  let { cpuUs } = await load(gateway, CONNECTIONS, warm)
  const seen = await inspector.profile(async () => {
    ;({ cpuUs } = await load(gateway, CONNECTIONS, warm))
  })
  return { cpuUs, shares: sharesOf(seen) }
}

function shareTable(what: string, shares: ReadonlyMap<string, number>, cpuUs: number): string {
  const dearest = [...shares].sort((a, b) => b[1] - a[1]).slice(0, ROWS)
  return table(
    [what, '% of the samples', 'µs a call'],
    dearest.map(([name, share]) => [name, show(share * 100, 1), show(share * cpuUs, 1)]),
  )
}
