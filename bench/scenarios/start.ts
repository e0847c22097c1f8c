import { join } from 'node:path'
import { residentMb } from '../processes.ts'
import { median, show } from '../report.ts'
import type { Scenario } from '../scenario.ts'
import { CALL_TOOLS, firstCorrectCall, scratch, started, startGateway } from '../targets.ts'

const SERVERS = 20
const FILE = join(import.meta.dirname, '../stdio-upstream.ts')

/** From the start of the process to a first correct call, with servers whose tools are known from the last run. */
export const start: Scenario = {
  name: 'start',
  seconds: 10,
  async run({ isQuick }) {
    using folder = scratch()
    const seconds: number[] = []
    const memory: number[] = []
    for (let round = 0; round <= (isQuick ? 1 : 3); round += 1) {
      await using stack = new AsyncDisposableStack()
      const gateway = started(stack, await startGateway(folder.path, servers()))
      const ready = await firstCorrectCall(gateway, SERVERS * CALL_TOOLS)
      // The first start learns the tools and does not count.
      if (round > 0) seconds.push((ready - gateway.process.startedAt) / 1000)
      memory.push(residentMb(gateway.process.pid))
    }
    const measured = median(seconds)
    return {
      report: [
        `Start to first correct call with ${SERVERS} stdio servers of last known tools: ${show(measured, 2)} s; memory then ${show(median(memory), 0)} MB.`,
      ],
      bars: [{ what: `start to first call, ${SERVERS} stdio servers`, limit: 2, unit: 's', measured }],
      wrong: [],
    }
  },
}

function servers(): Record<string, object> {
  const names = Array.from({ length: SERVERS }, (_, i) => `s${i + 1}`)
  return Object.fromEntries(
    names.map((name) => [name, { command: process.execPath, args: [FILE, name, String(CALL_TOOLS)] }]),
  )
}
