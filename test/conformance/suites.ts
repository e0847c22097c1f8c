import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runNode } from './child-process.ts'
import { root } from './gateway-process.ts'

const SUITE_TIMEOUT_MS = 300_000
const ALPHA_12 = join(root, 'node_modules/@modelcontextprotocol/conformance/dist/index.js')
const CURRENT_0_1 = join(root, 'node_modules/conformance-0-1/dist/index.js')

export type Suite = '0.1.16' | '2025-11-25' | '2026-07-28'
export type Outcome = { passed: number; total: number; failures: string[] }
type Check = { id: string; status: string; errorMessage?: string }

export const TOTAL: Record<Suite, number> = { '0.1.16': 32, '2025-11-25': 33, '2026-07-28': 40 }

export async function runServerSuite(suite: Suite, url: string, directory: string): Promise<Outcome> {
  await rm(directory, { recursive: true, force: true })
  const cli = suite === '0.1.16' ? [CURRENT_0_1] : [ALPHA_12, '--spec-version', suite]
  const [program = '', ...options] = cli
  const args = [program, 'server', '--url', url, '--suite', 'all', ...options, '-o', directory]
  const { output } = await runNode(args, {}, SUITE_TIMEOUT_MS)
  const outcome = await readOutcome(directory)
  return outcome.total > 0 ? outcome : { ...outcome, failures: [`no results: ${output.slice(-2000)}`] }
}

/** A client scenario passes when the mock saw something, found no fault, and the client ended well. */
export async function runClientScenario(
  scenario: { name: string; version: string },
  command: string,
  directory: string,
): Promise<string[]> {
  const { name, version } = scenario
  await rm(directory, { recursive: true, force: true })
  const args = [
    ALPHA_12,
    'client',
    '--command',
    command,
    '--scenario',
    name,
    '--spec-version',
    version,
    '-o',
    directory,
  ]
  const { output } = await runNode(args, { PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH']}` }, 60_000)
  const checks = (await readChecks(directory)).flatMap(({ checks }) => checks)
  const problems = failuresOf(checks)
  if (!checks.some(({ status }) => status === 'SUCCESS')) problems.push('no check succeeded')
  const driverFailure = /Client (?:exited with code|timed out)[^]{0,400}/.exec(output)?.[0]
  if (driverFailure !== undefined) problems.push(`the driver failed: ${driverFailure}`)
  return problems
}

async function readOutcome(directory: string): Promise<Outcome> {
  const scenarios = await readChecks(directory)
  const failures = scenarios.flatMap(({ scenario, checks }) => {
    const bad = failuresOf(checks)
    return bad.length === 0 ? [] : [`${scenario}: ${bad.join(' | ')}`]
  })
  return { passed: scenarios.length - failures.length, total: scenarios.length, failures }
}

const failuresOf = (checks: Check[]): string[] =>
  checks.filter(({ status }) => status === 'FAILURE').map(({ id, errorMessage = '' }) => `${id}: ${errorMessage}`)

async function readChecks(directory: string): Promise<{ scenario: string; checks: Check[] }[]> {
  await mkdir(directory, { recursive: true })
  const files = (await readdir(directory, { recursive: true })).filter((file) => file.endsWith('checks.json')).sort()
  return await Promise.all(
    files.map(async (file) => ({
      scenario: file.replace(/-\d{4}-\d\d-\d\dT[^/]*\/checks\.json$/, '').replace(/^server-(?=[a-z])/, ''),
      checks: JSON.parse(await readFile(join(directory, file), 'utf8')) as Check[],
    })),
  )
}
