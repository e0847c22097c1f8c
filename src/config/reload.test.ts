import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { DynamicConfig } from './config.ts'
import { watchConfig, type ConfigWatch } from './reload.ts'

const FIRST = 'servers: { a: { command: x } }\nsettings: { port: 1 }'

let directory: string
let file: string
let watch: ConfigWatch
const onDynamic = vi.fn<(dynamic: DynamicConfig, needRestart: readonly string[]) => void>()
const onError = vi.fn<(error: Error) => void>()

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'metamcp-reload-'))
  file = join(directory, 'metamcp.yaml')
  writeFileSync(file, FIRST)
  watch = watchConfig({ file, toolTimeoutMs: 1000 }, onDynamic, onError)
})
afterEach(() => {
  watch[Symbol.dispose]()
  rmSync(directory, { recursive: true, force: true })
  vi.clearAllMocks()
})

const namesOf = (call: number) => onDynamic.mock.calls[call]?.[0].servers.map(({ name }) => name)

test('a change on disk is read, one that an editor makes by replacing the file too', async () => {
  writeFileSync(file, 'servers: { b: { command: x } }\nsettings: { port: 1 }')
  await vi.waitFor(() => expect(namesOf(0)).toEqual(['b']), 5000)
  expect(onDynamic.mock.calls[0]?.[1]).toEqual([])

  writeFileSync(`${file}.new`, 'servers: { c: { command: x } }\nsettings: { port: 1 }')
  renameSync(`${file}.new`, file)
  await vi.waitFor(() => expect(namesOf(1)).toEqual(['c']), 5000)
})

test('a changed setting is told, because it needs a restart', async () => {
  writeFileSync(file, 'settings: { port: 2, debug: true }')
  await vi.waitFor(() => expect(onDynamic).toHaveBeenCalledOnce(), 5000)
  expect(onDynamic.mock.calls[0]?.[1].toSorted()).toEqual(['META_MCP_DEBUG', 'META_MCP_PORT'])
})

test('a broken file changes nothing and says why; the repaired one is read again', async () => {
  writeFileSync(file, 'servers: { a: { commnad: x } }')
  await vi.waitFor(() => expect(onError).toHaveBeenCalled(), 5000)
  expect(onError.mock.calls[0]?.[0].message).toContain('did you mean "command"?')
  expect(onDynamic).not.toHaveBeenCalled()

  writeFileSync(file, 'servers: { a: { command: y } }')
  await vi.waitFor(() => expect(namesOf(0)).toEqual(['a']), 5000)
})

test('a removed file keeps what was read before', async () => {
  rmSync(file)
  await vi.waitFor(() => expect(onError.mock.calls[0]?.[0].message).toContain('does not exist'), 5000)
  expect(onDynamic).not.toHaveBeenCalled()
})

test('reload reads at once, changed or not: SIGHUP asks for it', () => {
  watch.reload()
  expect(namesOf(0)).toEqual(['a'])
})

test('without a file there is nothing to watch', () => {
  const none = watchConfig({ toolTimeoutMs: 1 }, onDynamic, onError)
  none.reload()
  none[Symbol.dispose]()
  expect(onDynamic).not.toHaveBeenCalled()
  expect(onError).not.toHaveBeenCalled()
})
