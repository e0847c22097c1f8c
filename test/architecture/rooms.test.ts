import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { describe, expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { reaches, violations, type SourceFile } from './check-rooms.ts'
import { importsOf } from './imports.ts'
import { ROOMS } from './room-table.ts'

const ROOT = join(import.meta.dirname, '../..')
const DEPENDENCIES = Object.keys(packageJson.dependencies)

/** The house had this many source files when the gate was written; far fewer means that it looked in the wrong place. */
const FILES_MIN = 20

describe('the house', () => {
  const files = readSources()

  test('is large enough to have been read', () => {
    const sources = files.filter((file) => file.path.endsWith('.ts'))
    expect(sources.length).toBeGreaterThanOrEqual(FILES_MIN)
    expect(sources.flatMap((file) => importsOf(file.text)).length).toBeGreaterThan(FILES_MIN)
  })

  test('keeps its rules (R250, R251, R253)', () => {
    expect(violations(files, DEPENDENCIES)).toEqual([])
  })

  test('has a table without circles of values', () => {
    const needs = new Map(Object.entries(ROOMS).map(([room, { values }]) => [room, values]))
    expect([...needs.keys()].filter((room) => reaches(needs, room, room))).toEqual([])
  })

  test('shows its table in docs/architecture/rooms.md', () => {
    const page = readFileSync(join(ROOT, 'docs/architecture/rooms.md'), 'utf8').replaceAll(/ +/g, ' ')
    const missing = Object.entries(ROOMS)
      .map(([room, { holds, values, types }]) => `| \`${room}\` | ${holds} | ${list(values)} | ${list(types)} |`)
      .filter((row) => !page.includes(row))
    expect(missing).toEqual([])
  })
})

describe('a planted violation turns the gate red', () => {
  const LINE = 'export const x = 1\n'
  test.each<[what: string, path: string, text: string, says: RegExp]>([
    [
      'values of a room that is not in the row',
      'kernel/a.ts',
      "import { a } from '#gateway/call'",
      /may not know gateway/,
    ],
    ['types of a room that is not in the row', 'kernel/a.ts', "import type { A } from '#mcp/a'", /may not know mcp/],
    ['values where types are allowed', 'policy/a.ts', "import { a } from '#identity/principal'", /types only/],
    ['one value among types', 'policy/a.ts', "import { type A, b } from '#identity/principal'", /types only/],
    [
      'a list over several lines',
      'policy/a.ts',
      "import {\n  type A,\n  b,\n} from '#identity/principal'",
      /types only/,
    ],
    ['a re-export', 'policy/a.ts', "export { a } from '#identity/principal'", /types only/],
    ['a side effect', 'policy/a.ts', "import '#identity/principal'", /types only/],
    ['import() of a value', 'policy/a.ts', "const a = await import('#identity/principal')", /types only/],
    ['a room that does not exist', 'http/a.ts', "import { a } from '#tools/a'", /no such room/],
    ['two segments across rooms', 'http/a.ts', "import { a } from '#gateway/interceptors/trace'", /one segment/],
    ['an extension across rooms', 'http/a.ts', "import { a } from '#gateway/call.ts'", /one segment/],
    ['the composition root from a room', 'http/a.ts', "import { a } from '#app'", /one segment/],
    ['a relative path out of the room', 'http/a.ts', "import { a } from '../gateway/call.ts'", /leave the room/],
    [
      'a relative path out of the room from a sub-folder',
      'http/b/a.ts',
      "import { a } from '../../app.ts'",
      /leave the room/,
    ],
    ['a relative path without .ts', 'http/a.ts', "import { a } from './b'", /end in \.ts/],
    ['its own room by its name', 'http/a.ts', "import { a } from '#http/b'", /relative/],
    ['a relative path from the root', 'app.ts', "import { a } from './http/server.ts'", /#room\/file/],
    ['a room that main.ts need not know', 'main.ts', "import { a } from '#upstream/pool'", /may not know upstream/],
    ['a barrel by name', 'http/index.ts', LINE, /barrel/],
    ['a barrel by content', 'http/a.ts', "export * from './b.ts'", /barrel/],
    ['a default export', 'http/a.ts', 'export default function a() {}', /default export/],
    ['a room without a row', 'plugins/a.ts', LINE, /no room of the table/],
    ['a room that says nothing', 'utils/a.ts', LINE, /says nothing/],
    ['a file in no room', 'server.ts', LINE, /stands in no room/],
    ['SQL outside storage', 'registry/a.ts', "import { Kysely } from 'kysely'", /SQL only in storage/],
    ['SQLite outside storage', 'registry/a.ts', "import { DatabaseSync } from 'node:sqlite'", /SQL only in storage/],
    ['PostgreSQL types outside storage', 'http/a.ts', "import type { Pool } from 'pg'", /SQL only in storage/],
    ['a child process outside upstream', 'cli/a.ts', "import { spawn } from 'node:child_process'", /only in upstream/],
    [
      'the SDK outside mcp and upstream',
      'gateway/a.ts',
      "import type { A } from '@modelcontextprotocol/core'",
      /MCP SDK/,
    ],
    [
      'a development dependency at run time',
      'mcp/a.ts',
      "import { a } from '@modelcontextprotocol/core'",
      /dependencies/,
    ],
    ['a package in kernel', 'kernel/a.ts', "import { z } from 'zod'", /stands on nothing/],
    ['I/O in kernel', 'kernel/a.ts', "import { readFileSync } from 'node:fs'", /no I\/O/],
    ['the environment outside config/env.ts', 'http/a.ts', 'const a = process.env.HOME', /environment/],
    ['the environment by another name', 'http/a.ts', "import { env } from 'node:process'", /environment/],
    ['a file that is too long', 'http/a.ts', LINE.repeat(401), /401 lines/],
    ['an app.ts that is too long', 'app.ts', LINE.repeat(201), /201 lines/],
    ['a foundation.ts that is too long', 'foundation.ts', LINE.repeat(201), /201 lines/],
    ['a main.ts that is too long', 'main.ts', LINE.repeat(61), /61 lines/],
  ])('%s', (_what, path, text, says) => {
    expect(planted({ path, text })).toEqual([expect.stringMatching(says)])
  })

  test('a room without README.md', () => {
    expect(violations([{ path: 'http/a.ts', text: LINE }], [])).toEqual(['http/ has no README.md'])
  })

  test('a README.md that is too long', () => {
    const readme = { path: 'http/README.md', text: 'a\n'.repeat(31) }
    expect(violations([{ path: 'http/a.ts', text: LINE }, readme], [])).toEqual([expect.stringMatching(/30 lines/)])
  })

  test('a circle of values', () => {
    const there = { path: 'gateway/a.ts', text: "import { b } from '#resilience/b'" }
    const back = { path: 'resilience/b.ts', text: "import { a } from '#gateway/a'" }
    expect(planted(there, back)).toContain('gateway/ is part of a circle of values')
  })
})

describe('what the rules allow stays green', () => {
  test.each<[what: string, path: string, text: string]>([
    ['values of the row', 'gateway/a.ts', "import { a } from '#kernel/ids'"],
    ['types of the row', 'policy/a.ts', "import type { A } from '#identity/principal'"],
    ['only names marked as types', 'policy/a.ts', "import { type A, type B } from '#identity/principal'"],
    ['every room from app.ts', 'app.ts', "import { a } from '#upstream/pool'"],
    ['every room from foundation.ts', 'foundation.ts', "import { a } from '#upstream/pool'"],
    ['foundation.ts from app.ts', 'app.ts', "import { a } from './foundation.ts'"],
    ['app.ts from main.ts', 'main.ts', "import { createApp } from './app.ts'"],
    ['a private sub-folder', 'http/a.ts', "import { a } from './routes/b.ts'"],
    ['a file of its own room from a sub-folder', 'http/routes/b.ts', "import { a } from '../a.ts'"],
    ['an import in a comment', 'kernel/a.ts', "// import { a } from '#gateway/call'\n/** import('pg') */"],
    ['any room from a test', 'kernel/a.test.ts', "import { a } from '#gateway/call'\nprocess.env.A = 'b'"],
    ['test support from a test', 'http/a.test.ts', "import { a } from '../../test/support/b.ts'"],
  ])('%s', (_what, path, text) => {
    expect(planted({ path, text })).toEqual([])
  })
})

/** The violations of a house that consists of these files and has the READMEs it needs. */
function planted(...files: SourceFile[]): string[] {
  const readmes = files
    .filter((file) => file.path.includes('/'))
    .map((file) => ({ path: `${file.path.split('/')[0]}/README.md`, text: 'A room.\n' }))
  return violations([...files, ...readmes], DEPENDENCIES)
}

function readSources(): SourceFile[] {
  const src = join(ROOT, 'src')
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') || path.endsWith('README.md'))
    .map((path) => ({ path: path.split(sep).join('/'), text: readFileSync(join(src, path), 'utf8') }))
}

function list(rooms: readonly string[]): string {
  return rooms.length === 0 ? '–' : rooms.join(', ')
}
