import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readGatewayFile, removeGatewayFile, writeGatewayFile } from './gateway-file.ts'

/** Above the largest process id that Linux gives. */
const DEAD_PID = 4_194_305
let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'metamcp-gateway-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

test('commands find the gateway that runs, and none after it stopped', async () => {
  const gateway = { url: 'http://127.0.0.1:1', pid: process.pid }
  await writeGatewayFile(dataDir, gateway)
  expect(readGatewayFile(dataDir)).toEqual(gateway)
  await removeGatewayFile(dataDir, process.pid)
  expect(readGatewayFile(dataDir)).toBeUndefined()
})

test('a gateway that was killed leads nobody astray', async () => {
  await writeGatewayFile(dataDir, { url: 'http://127.0.0.1:1', pid: DEAD_PID })
  expect(readGatewayFile(dataDir)).toBeUndefined()
})

test('a stopping gateway leaves the note of its successor alone', async () => {
  await writeGatewayFile(dataDir, { url: 'http://127.0.0.1:2', pid: process.pid })
  await removeGatewayFile(dataDir, DEAD_PID)
  expect(readGatewayFile(dataDir)?.url).toBe('http://127.0.0.1:2')
})
