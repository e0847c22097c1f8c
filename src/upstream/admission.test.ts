import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Connection } from '#registry/records'
import {
  ADMITTED_LINES,
  REFUSED_COMMANDS,
  REFUSED_ENVIRONMENTS,
  REFUSED_LINES,
} from '../../test/support/corpus/commands.ts'
import { createAdmission, type AdmissionOptions } from './admission.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'metamcp-admission-'))
mkdirSync(join(dataDir, 'work'))
symlinkSync('/bin/sh', join(dataDir, 'harmless'))
symlinkSync('/', join(dataDir, 'work', 'out'))
afterAll(() => rmSync(dataDir, { recursive: true }))

type Command = Partial<Extract<Connection, { kind: 'stdio' }>>

const admit = (command: Command, more: Partial<AdmissionOptions> = {}) =>
  createAdmission({ egressAllow: [], isLoopbackOnly: true, stdioRegistration: 'auto', dataDir, ...more }).admit({
    connection: { kind: 'stdio', command: 'npx', args: [], env: {}, ...command },
  })

const words = (line: string): Command => {
  const [command = '', ...args] = line.split(' ')
  return { command, args }
}

describe('C1: a command that would run what its arguments, environment or place say is refused (R257)', () => {
  test('the tables hold more than 80 configurations', () => {
    expect(REFUSED_LINES.length + REFUSED_COMMANDS.length + REFUSED_ENVIRONMENTS.length).toBeGreaterThan(80)
  })

  const refusal = {
    code: 'policy_violation',
    message: expect.stringMatching(
      /^The command is refused: .*An operator can name this server in the configuration file$/,
    ) as string,
  }

  test.each(REFUSED_LINES)('%s', async (line) => {
    await expect(admit(words(line))).rejects.toMatchObject(refusal)
  })

  test.each(REFUSED_COMMANDS)('%j', async (command) => {
    await expect(admit(command)).rejects.toMatchObject(refusal)
  })

  test.each(REFUSED_ENVIRONMENTS)('the environment %j', async (env) => {
    await expect(admit({ ...words('npx -y @scope/server'), env })).rejects.toMatchObject(refusal)
  })

  test.each([
    '/',
    '/etc',
    '/tmp',
    'work',
    '.',
    '..',
    '~',
    join(dataDir, '..'),
    `${dataDir}-other`,
    join(dataDir, 'work/out/etc'),
    `${dataDir}/\n`,
  ])('C2: the working directory %j', async (cwd) => {
    await expect(admit({ ...words('npx -y @scope/server'), cwd })).rejects.toMatchObject(refusal)
  })
})

test.each(['harmless', 'harmless script.txt'])('a shell by another name is a shell: %s', async (line) => {
  await expect(admit(words(join(dataDir, line)))).rejects.toMatchObject({
    message: expect.stringContaining('shell') as string,
  })
})

describe('an ordinary server is admitted', () => {
  test.each(ADMITTED_LINES)('%s', async (line) => {
    await admit(words(line))
  })

  test('with its keys, settings and a working directory inside the data directory', async () => {
    const env = {
      GITHUB_TOKEN: 'x',
      DATABASE_URL: 'postgresql://u@h/d?x=1',
      NODE_ENV: 'production',
      PYTHONUNBUFFERED: '1',
    }
    await admit({ ...words('npx -y @scope/server'), env, cwd: join(dataDir, 'work') })
    await admit({ ...words('npx -y @scope/server'), env, cwd: dataDir })
  })
})

describe('C3: whether commands are taken at all is the operator’s choice', () => {
  test.each([
    ['auto', true, true],
    ['auto', false, false],
    ['on', true, true],
    ['on', false, true],
    ['off', true, false],
    ['off', false, false],
  ] as const)('%s while listening on loopback only = %s: %s', async (stdioRegistration, isLoopbackOnly, expected) => {
    const verdict = admit(words('npx -y @scope/server'), { stdioRegistration, isLoopbackOnly })
    if (expected) await verdict
    else
      await expect(verdict).rejects.toMatchObject({
        code: 'policy_violation',
        message: expect.stringContaining('META_MCP_STDIO_REGISTRATION') as string,
      })
  })

  test('a shell is refused even where commands are taken', async () => {
    await expect(admit(words('sh -c id'), { stdioRegistration: 'on' })).rejects.toMatchObject({
      code: 'policy_violation',
    })
  })

  test('a draft that changes no connection is none of these rules’ business', async () => {
    await createAdmission({ egressAllow: [], isLoopbackOnly: false, stdioRegistration: 'off', dataDir }).admit({})
  })
})
