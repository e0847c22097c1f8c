import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CLOSED, startBearer } from './bearer-stage.ts'
import { firstLine, startNode, type Child } from './child-process.ts'
import { OPEN, root, startGateway, waitUntilOnline, type Gateway } from './gateway-process.ts'
import { clientScenarios, direct, throughGateway, type Row } from './grid.ts'
import { runClientScenario, runServerSuite, TOTAL, type Suite } from './suites.ts'

// `npm run conformance [-- --direct] [-- --only both,legacy,modern,stdio,bearer,client]`

const COLUMN = 28
const ONLINE_TIMEOUT_MS = 30_000
const FIXTURE = join(root, 'test/support/fixture/main.ts')
const MEMORY = join(root, 'node_modules/@modelcontextprotocol/server-memory/dist/index.js')
const DRIVER = join(root, 'test/conformance/driver.ts')
const OUT = join(root, 'out/conformance')

type Report = { row: string; cells: string[]; problems: string[]; failures: string[] }

const { values } = parseArgs({ options: { direct: { type: 'boolean', default: false }, only: { type: 'string' } } })
const wanted = values.only?.split(',')
const isWanted = (name: string): boolean => wanted?.includes(name) ?? true

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const reports: Report[] = []
for (const row of values.direct ? direct : throughGateway) if (isWanted(row.name)) reports.push(await report(row))
if (isWanted('client')) reports.push(await clientReport())
print(reports)

async function report(row: Row): Promise<Report> {
  try {
    return await (values.direct ? directReport(row) : gatewayReport(row))
  } catch (error) {
    return { row: row.name, cells: ['did not start'], problems: [String(error)], failures: [] }
  }
}

async function directReport(row: Row): Promise<Report> {
  await using fixture = await startHttpFixture(row)
  return await serverReport(row, fixture.url)
}

async function gatewayReport(row: Row): Promise<Report> {
  await using fixture = row.transport === 'http' ? await startHttpFixture(row) : undefined
  const stdio = { command: process.execPath, args: [FIXTURE, '--transport', 'stdio', '--era', row.era] }
  const servers = (directory: string) => ({
    fixture: { ...(fixture ? { url: fixture.url } : stdio), prefix: '', era: 'auto' },
    second: {
      command: process.execPath,
      args: [MEMORY],
      env: { MEMORY_FILE_PATH: join(directory, 'memory.jsonl') },
      prefix: 'second',
    },
  })
  await using gateway: Gateway = await startGateway(servers, row.isClosed ? CLOSED : OPEN)
  await using relay = row.isClosed ? await startBearer(gateway) : undefined
  const place = relay ?? gateway
  if (!(await waitUntilOnline(place, ['fixture', 'second'], ONLINE_TIMEOUT_MS))) {
    throw new Error(`the upstreams are not online\n${gateway.log()}`)
  }
  return await serverReport(row, place.url)
}

async function startHttpFixture(row: Row): Promise<Child & { url: string }> {
  const child = startNode([FIXTURE, '--transport', 'http', '--era', row.era])
  const url = await firstLine(child, (line) => /^ready (.+)$/.exec(line)?.[1])
  return { ...child, url: url.replace('127.0.0.1', 'localhost') }
}

async function serverReport(row: Row, url: string): Promise<Report> {
  const result: Report = { row: row.name, cells: [], problems: [], failures: [] }
  for (const suite of Object.keys(TOTAL) as Suite[]) {
    const floor = row.floors[suite]
    if (floor === undefined) {
      result.cells.push('-')
      continue
    }
    const { passed, total, failures } = await runServerSuite(suite, url, join(OUT, row.name, suite))
    result.cells.push(`${passed}/${total} (>= ${floor}/${TOTAL[suite]})`)
    result.failures.push(...failures.map((failure) => `${suite} ${failure}`))
    if (passed < floor || total !== TOTAL[suite]) result.problems.push(`${suite}: ${passed}/${total}, floor ${floor}`)
  }
  return result
}

async function clientReport(): Promise<Report> {
  const command = `${values.direct ? 'METAMCP_DRIVER_DIRECT=1 ' : ''}${process.execPath} ${DRIVER}`
  const failures: string[] = []
  for (const scenario of clientScenarios) {
    const directory = join(OUT, 'client', `${scenario.name}-${scenario.version}`)
    const problems = await runClientScenario(scenario, command, directory)
    if (problems.length > 0) failures.push(`${scenario.name} ${scenario.version}: ${problems.join(' | ')}`)
  }
  const total = clientScenarios.length
  const cells = [`${total - failures.length}/${total} client scenarios`]
  return { row: 'client', cells, problems: failures.length > 0 ? ['a client scenario failed'] : [], failures }
}

function print(all: Report[]): void {
  console.log(
    `${'fixture'.padEnd(10)}${Object.keys(TOTAL)
      .map((suite) => suite.padEnd(COLUMN))
      .join('')}`,
  )
  for (const { row, cells, problems, failures } of all) {
    const verdict = problems.length === 0 ? 'ok' : 'FAILED'
    console.log(`${row.padEnd(10)}${cells.map((cell) => cell.padEnd(COLUMN)).join('')}${verdict}`)
    for (const line of [...problems, ...failures]) console.log(`    ${line}`)
  }
  const failed = all.filter(({ problems }) => problems.length > 0).length
  console.log(`\n${all.length - failed} passed, ${failed} failed`)
  process.exitCode = failed > 0 || all.length === 0 ? 1 : 0
}
