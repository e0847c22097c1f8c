import { residentMb } from '../processes.ts'
import { median, show, table } from '../report.ts'
import type { Findings, Pace, Scenario } from '../scenario.ts'
import { CALL_TOOLS, firstCorrectCall, scratch, serversOf, started, startGateway, startUpstream } from '../targets.ts'
import { load, wrongIn, type Window } from '../windows.ts'

const CONNECTIONS = 16
const PARTS = 10
const SECONDS_MAX = 60

/** Whether memory stays where it is: so many calls after those that warm it up. */
export const long: Scenario = {
  name: 'long',
  seconds: 60,
  async run(pace) {
    using folder = scratch()
    await using stack = new AsyncDisposableStack()
    const upstream = started(stack, await startUpstream(CALL_TOOLS))
    const gateway = started(stack, await startGateway(folder.path, serversOf(upstream), { core: 'measured' }))
    await firstCorrectCall(gateway, CALL_TOOLS)
    const idle = residentMb(gateway.process.pid)
    const windows: Window[] = []
    for (let round = 0; round <= PARTS; round += 1) {
      const options = { mode: 'call' as const, warmSeconds: 0, seconds: SECONDS_MAX, calls: callsOf(pace) }
      const seen = await load(gateway, CONNECTIONS, options)
      windows.push({
        ...seen,
        target: 'gateway',
        round,
        connections: CONNECTIONS,
        residentMb: residentMb(gateway.process.pid),
      })
    }
    return findings(idle, windows)
  },
}

/** Of one part. */
function callsOf({ isQuick }: Pace): number {
  return isQuick ? 5000 : 50_000
}

/** The first part warms it up: what then comes on top would go on. */
function findings(idle: number, windows: readonly Window[]): Findings {
  const [warm, ...rest] = windows
  const counted = rest.reduce((sum, { done }) => sum + done, 0)
  const after = median(rest.slice(-3).map(({ residentMb }) => residentMb))
  const grown = (after / (warm?.residentMb ?? Number.NaN) - 1) * 100
  const calls = windows.map(({ done }, index) => done + windows.slice(0, index).reduce((sum, one) => sum + one.done, 0))
  return {
    report: [
      `RSS of one gateway at ${CONNECTIONS} connections, ${counted} calls after the first ${warm?.done}:`,
      table(
        ['calls', '0', ...calls.map(String)],
        [['RSS MB', show(idle, 0), ...windows.map((one) => show(one.residentMb, 0))]],
      ),
    ],
    bars: [{ what: `RSS grows in ${counted} calls`, limit: 20, unit: '%', measured: grown }],
    wrong: wrongIn(windows),
  }
}
