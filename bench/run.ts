// npm run bench [-- --only NAME]… [--quick] [--write]. See README.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { canMeasureCpu, canPin } from './processes.ts'
import { barTable, isHeld } from './report.ts'
import type { Findings, Scenario } from './scenario.ts'
import { auth } from './scenarios/auth.ts'
import { calls } from './scenarios/calls.ts'
import { idle } from './scenarios/idle.ts'
import { links } from './scenarios/links.ts'
import { lists } from './scenarios/lists.ts'
import { long } from './scenarios/long.ts'
import { restarts } from './scenarios/restarts.ts'
import { start } from './scenarios/start.ts'
import { traces } from './scenarios/traces.ts'
import { isGatewayBuilt } from './targets.ts'

const SCENARIOS: readonly Scenario[] = [calls, lists, start, auth, idle, long, restarts, traces, links]
const README = join(import.meta.dirname, 'README.md')
const FIRST_SECTION = '## Latest run'

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})

function chosen(): readonly Scenario[] {
  const unknown = flags.only.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name))
  const names = SCENARIOS.map(({ name }) => name).join(', ')
  if (unknown.length > 0) throw new Error(`no scenario ${unknown.join(', ')}; there are ${names}`)
  return flags.only.length === 0 ? SCENARIOS : SCENARIOS.filter(({ name }) => flags.only.includes(name))
}

function machine(): string {
  const pinned = canPin ? 'pinned' : 'not pinned'
  return `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}, ${pinned}`
}

function section(name: string, { report, bars }: Findings): string {
  const when = `${new Date().toISOString().slice(0, 10)}${flags.quick ? ', a quick look' : ''}, ${machine()}`
  const parts = [`### ${name}`, when, ...report, ...(bars.length > 0 ? [barTable(bars)] : [])]
  return parts.join('\n\n')
}

/** Puts the section over the last one of its name in README.md, or behind the others. */
function write(name: string, text: string): void {
  const [before = '', latest = ''] = readFileSync(README, 'utf8').split(FIRST_SECTION)
  const others = latest.split(/^(?=### )/m).map((part) => part.trim())
  const intro = others.shift() ?? ''
  const at = others.findIndex((part) => part.startsWith(`### ${name}\n`))
  others.splice(at < 0 ? others.length : at, at < 0 ? 0 : 1, text)
  const parts = [`${before}${FIRST_SECTION}`, ...(intro === '' ? [] : [intro]), ...others]
  writeFileSync(README, `${parts.join('\n\n')}\n`)
}

if (!isGatewayBuilt) throw new Error('the gateway is not built: npm run build')
if (!canMeasureCpu) console.log('this system does not tell the processor time of a thread: no CPU figures')
for (const { name, run } of chosen()) {
  const startedAt = performance.now()
  const findings = await run({ isQuick: flags.quick })
  const text = section(name, findings)
  console.log(`${text}\n\n(${((performance.now() - startedAt) / 1000).toFixed(0)} s)\n`)
  for (const wrong of findings.wrong) console.log(`WRONG ${wrong}`)
  if (flags.write) write(name, text)
  if (findings.wrong.length > 0 || !findings.bars.every(isHeld)) process.exitCode = 1
}
