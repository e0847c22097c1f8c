import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cpuRatio, loadTable, withinRounds } from '../report.ts'
import type { Scenario } from '../scenario.ts'
import { listResult, scratch, startBufferServer, started, startTargets } from '../targets.ts'
import { measure, roundsOf, warmUp, wrongIn } from '../windows.ts'

const TOOLS = 1000
const CONNECTIONS = 8

/** A list of all tools, beside a server that writes the same bytes. */
export const lists: Scenario = {
  name: 'lists',
  seconds: 40,
  async run(pace) {
    using folder = scratch()
    await using stack = new AsyncDisposableStack()
    const all = await startTargets(stack, folder.path, TOOLS)
    const targets = all.filter(({ name }) => name !== 'direct')
    const file = join(folder.path, 'list.json')
    writeFileSync(file, await listResult(all.at(-1)!))
    targets.push(started(stack, await startBufferServer(file)))
    const options = { ...roundsOf(lists, pace), mode: 'list' as const, connections: [CONNECTIONS] }
    await warmUp(targets, options, pace.isQuick ? 200 : 1000)
    const windows = await measure(targets, options)
    const measured = withinRounds(windows, ['gateway', 'own bytes'], CONNECTIONS, cpuRatio)
    return {
      report: [
        `tools/list of ${TOOLS} tools; "own bytes" writes the same result from a Buffer:`,
        loadTable(windows, 'own bytes'),
      ],
      bars: [{ what: `tools/list of ${TOOLS} tools`, limit: 2, unit: '× its own bytes', measured }],
      wrong: wrongIn(windows),
    }
  },
}
