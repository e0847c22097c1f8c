import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import tsconfig from '../../tsconfig.json' with { type: 'json' }
import { importsOf } from './imports.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

test('the compiler is strict and the linter refuses any (R258)', () => {
  const { strict, noUncheckedIndexedAccess, exactOptionalPropertyTypes } = tsconfig.compilerOptions
  expect([strict, noUncheckedIndexedAccess, exactOptionalPropertyTypes]).toEqual([true, true, true])
  const { rules } = JSON.parse(read('.oxlintrc.json')) as { rules: Record<string, unknown> }
  expect(rules['typescript/no-explicit-any']).toBe('error')
})

test('npm run check runs every gate', () => {
  const scripts: Record<string, string> = packageJson.scripts
  const steps = scripts['check']?.split(' && ').map((step) => step.replace('npm run ', '')) ?? []
  expect(steps).toEqual(['typecheck', 'lint', 'check:format', 'check:dead', 'check:rooms'])
  expect(steps.filter((step) => scripts[step] === undefined)).toEqual([])
})

test('.ci/run installs, checks, builds, tests and runs the conformance suites, in this order', () => {
  const lines = read('.ci/run').split('\n')
  const at = ['npm ci', 'npm run check', 'npm run build', 'npm test', 'npm run conformance'].map((command) =>
    lines.findIndex((line) => !line.startsWith('#') && line.includes(command)),
  )
  expect(at).not.toContain(-1)
  expect(at).toEqual([...at].sort((a, b) => a - b))
})

test('the guide for agents stays short', () => {
  expect(read('AGENTS.md').trimEnd().split('\n').length).toBeLessThanOrEqual(100)
})

test.each(['kernel', 'registry', 'resilience'])(
  'the unit tests of %s need no server and no process (R252, R254)',
  (room) => {
    const tests = readdirSync(join(ROOT, 'src', room)).filter((file) => file.endsWith('.test.ts'))
    expect(tests).not.toEqual([])
    const outside = /^node:(https?|http2|net|child_process)$|^undici$|\/test\/support\//
    const used = tests.flatMap((file) =>
      importsOf(read(`src/${room}/${file}`)).map(({ specifier }) => `${file}: ${specifier}`),
    )
    expect(used.filter((line) => outside.test(line.split(': ')[1] ?? ''))).toEqual([])
  },
)
