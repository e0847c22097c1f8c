import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readGatewayFile } from '#config/gateway-file'
import { ownEnvironment, startGatewayChild } from '../support/gateway-child.ts'
import { AS_IT_COMES } from '../support/open.ts'
import { runCommand, runProcess } from '../support/run-cli.ts'
import { newDirectory } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const SCRIPT = '/usr/bin/script'
const FILE = { tools: { lamp: { endpoint: 'http://127.0.0.1:9/lamp', description: 'Switches the light' } } }

const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } }
const LINES = [
  { jsonrpc: '2.0', id: 0, method: 'initialize', params: hello },
  { jsonrpc: '2.0', method: 'notifications/initialized' },
  { jsonrpc: '2.0', id: 1, method: 'tools/list' },
].map((line) => `${JSON.stringify(line)}\n`)

test('R010 stdio on the machine of the gateway needs no key, and goes on when the gateway was restarted', async () => {
  await using directory = await newDirectory()
  const options = { directory: directory.path, file: FILE, env: AS_IT_COMES }
  const gateway = await startGatewayChild(options)
  const child = spawn(process.execPath, [MAIN, 'stdio', '--data-dir', join(directory.path, 'data')], {
    env: ownEnvironment(),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const closed = new Promise((resolve) => child.once('close', resolve))
  try {
    for (const line of LINES) child.stdin.write(line)
    await until('the list is there', () => /"id":1\b.*lamp/.test(said))
    const port = Number(new URL(gateway.url).port)
    await gateway[Symbol.asyncDispose]()
    await using _again = await startGatewayChild({ ...options, port })
    child.stdin.write('{"jsonrpc":"2.0","id":2,"method":"tools/list"}\n')
    await until('the list is there again', () => /"id":2\b.*lamp/.test(said))
    child.stdin.end()
    await closed
  } finally {
    child.kill('SIGKILL')
  }
})

test('stdio that is a gateway itself needs no key, and leaves the first start to one whose words somebody sees', async () => {
  await using directory = await newDirectory()
  const { code, stdout } = await runProcess(['stdio', '--data-dir', join(directory.path, 'data')], {
    stdin: LINES.join(''),
  })
  expect(code).toBe(0)
  expect(stdout).toContain('"tools":[]')
  expect(stdout).not.toContain('mmcp_')
  await using gateway = await startGatewayChild({ directory: directory.path, env: AS_IT_COMES })
  expect(gateway.first).toMatchObject({ api_key: expect.stringMatching(/^mmcp_/) as never })
})

test('A25 what a first start made is shown although it could not listen: there is no second first start', async () => {
  await using directory = await newDirectory()
  const squatter = createServer()
  await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve))
  const { port } = squatter.address() as AddressInfo
  try {
    const { code, stdout, stderr } = await runProcess(['serve', '--port', String(port), '--data-dir', directory.path])
    expect([code, stderr]).toEqual([1, expect.stringContaining('is in use')])
    const { administrator } = JSON.parse(stdout) as { administrator: { password: string } }
    await using gateway = await startGatewayChild({
      directory: directory.path,
      env: { ...AS_IT_COMES, META_MCP_DATABASE_URL: `sqlite:${join(directory.path, 'metamcp.db')}` },
    })
    expect(gateway.first.api_key).toBeUndefined()
    const who = { username: 'admin', password: administrator.password }
    expect((await gateway.api.send('POST', 'auth/login', who)).status).toBe(200)
  } finally {
    squatter.close()
  }
})

test.skipIf(!existsSync(SCRIPT))('a password that is typed in a terminal does not appear there', async () => {
  await using directory = await newDirectory()
  await using gateway = await startGatewayChild({
    directory: directory.path,
    env: { ...AS_IT_COMES, META_MCP_ADMIN_PASSWORD: 'correct horse battery' },
  })
  const home = join(directory.path, 'home')
  const command = `exec ${process.execPath} ${MAIN} login --url ${gateway.url}`
  const terminal = spawn(SCRIPT, ['-qfec', command, '/dev/null'], {
    env: { ...ownEnvironment(), META_MCP_DATA_DIR: home },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let shown = ''
  terminal.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()))
  const exited = new Promise((resolve) => terminal.once('close', resolve))
  await until('it asks for the name', () => shown.includes('User name [admin]: '))
  terminal.stdin.write('admin\r')
  await until('it asks for the password', () => shown.includes('Password of admin: '))
  terminal.stdin.write('correct horse battery\r')
  expect(await exited).toBe(0)
  expect(shown).toContain('Logged in')
  expect(shown).not.toMatch(/correct|horse|battery/)
  const env = { META_MCP_DATA_DIR: home }
  expect((await runCommand(['user', 'list', '--url', gateway.url], { env })).stdout).toContain('admin')
  expect(readGatewayFile(home)).toBeUndefined()
})
