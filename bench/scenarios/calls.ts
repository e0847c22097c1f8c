import { cpuRatio, loadTable, show, speedRatio, withinRounds, type Bar } from '../report.ts'
import type { Findings, Scenario } from '../scenario.ts'
import { CALL_TOOLS, scratch, startTargets } from '../targets.ts'
import { measure, roundsOf, warmUp, wrongIn, type Window } from '../windows.ts'

const BUSY = [16, 64]

/** A warm tools/call: direct, through a bare proxy and through the gateway. */
export const calls: Scenario = {
  name: 'calls',
  seconds: 130,
  async run(pace) {
    using folder = scratch()
    await using stack = new AsyncDisposableStack()
    const targets = await startTargets(stack, folder.path, CALL_TOOLS)
    const options = { ...roundsOf(calls, pace), mode: 'call' as const, least: 3000, connections: [1, ...BUSY] }
    await warmUp(targets, options, pace.isQuick ? 5000 : 30_000)
    return findings(await measure(targets, options))
  },
}

function findings(windows: readonly Window[]): Findings {
  const added = (target: string): number => withinRounds(windows, [target, 'direct'], 1, (a, b) => a.p50 - b.p50)
  const rounds = new Set(windows.map(({ round }) => round)).size
  return {
    report: [
      `tools/call (echo, legacy sessions, every answer verified), medians of ${rounds} rounds:`,
      loadTable(windows, 'bare proxy'),
      `Added to p50 at 1 connection: bare proxy ${show(added('bare proxy'), 3)} ms, gateway ${show(added('gateway'), 3)} ms.`,
    ],
    bars: [
      ...BUSY.flatMap((connections) => barsAt(windows, connections)),
      { what: 'added to p50, 1 connection', limit: 0.25, unit: 'ms', measured: added('gateway') },
    ],
    wrong: wrongIn(windows),
  }
}

function barsAt(windows: readonly Window[], connections: number): Bar[] {
  const ratio = (compare: (a: Window, b: Window) => number): number =>
    withinRounds(windows, ['gateway', 'bare proxy'], connections, compare)
  const unit = '× bare proxy'
  return [
    { what: `CPU a tools/call, ${connections} connections`, limit: 1.5, unit, measured: ratio(cpuRatio) },
    {
      what: `calls per second, ${connections} connections`,
      limit: 0.7,
      isFloor: true,
      unit,
      measured: ratio(speedRatio),
    },
  ]
}
