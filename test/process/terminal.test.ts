import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readGatewayFile } from '#config/gateway-file'
import { apiClient } from '../support/api-client.ts'
import { descendants, isRunning } from '../support/processes.ts'
import { newDirectory } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')

/** It runs a command in a terminal of its own, which closes when it is killed. */
const SCRIPT = '/usr/bin/script'

function withoutSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('META_MCP_')))
}

test.skipIf(!existsSync(SCRIPT))(
  'a gateway whose terminal is closed ends; a SIGHUP before that only reads the file again',
  async () => {
    await using directory = await newDirectory()
    const command = `exec ${process.execPath} ${MAIN} serve --port 0 --data-dir ${directory.path}`
    const terminal = spawn(SCRIPT, ['-qfc', command, '/dev/null'], {
      env: withoutSettings(),
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    let shown = ''
    terminal.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()))
    try {
      await until(
        'it listens',
        () => readGatewayFile(directory.path) !== undefined && shown.includes('For your MCP client'),
      )
      const { pid, url } = readGatewayFile(directory.path)!
      expect(descendants(terminal.pid!)).toContain(pid)
      expect(shown).toContain(`MCP endpoint   ${url}/mcp`)
      process.kill(pid, 'SIGHUP')
      expect((await apiClient(url).send('GET', 'health')).status).toBe(200)
      terminal.kill('SIGKILL')
      await until('it has ended', () => !isRunning(pid))
      expect(existsSync(join(directory.path, 'gateway.json'))).toBe(false)
    } finally {
      const left = readGatewayFile(directory.path)
      terminal.kill('SIGKILL')
      if (left) process.kill(left.pid, 'SIGKILL')
    }
  },
)

test('a gateway that npm started ends when npm has been ended: npm passes the signal to its shell alone', async () => {
  await using directory = await newDirectory()
  const command = `${process.execPath} ${MAIN} serve --port 0 --data-dir ${directory.path}; true`
  const shell = spawn('/bin/sh', ['-c', command], {
    env: { ...withoutSettings(), npm_lifecycle_event: 'start' },
    stdio: 'ignore',
  })
  try {
    await until('it listens', () => readGatewayFile(directory.path) !== undefined)
    const { pid } = readGatewayFile(directory.path)!
    expect(descendants(shell.pid!)).toContain(pid)
    shell.kill('SIGTERM')
    await until('it has ended', () => !isRunning(pid))
    expect(existsSync(join(directory.path, 'gateway.json'))).toBe(false)
  } finally {
    const left = readGatewayFile(directory.path)
    shell.kill('SIGKILL')
    if (left) process.kill(left.pid, 'SIGKILL')
  }
})
