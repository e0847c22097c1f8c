import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGatewayChild, type GatewayChild } from '../support/gateway-child.ts'
import { realServers } from '../support/real-servers.ts'
import { startBackend, type RecordingBackend } from '../support/recording-backend.ts'
import { runCommand, runProcess, type CliOptions } from '../support/run-cli.ts'
import { newDirectory } from '../support/test-app.ts'

const cleanup = new AsyncDisposableStack()
let gateway: GatewayChild
let backend: RecordingBackend
let home: string

beforeAll(async () => {
  const directory = cleanup.use(await newDirectory()).path
  home = cleanup.use(await newDirectory()).path
  backend = cleanup.use(await startBackend())
  backend.on('/ok', '{"id":12345678901234567890}')
  gateway = cleanup.use(
    await startGatewayChild({
      directory,
      file: {
        servers: { everything: realServers.everything() },
        tools: { ok: { endpoint: `${backend.url}/ok` }, bad: { endpoint: `${backend.url}/bad` } },
        namespaces: { dev: { tools: { include: ['*echo'] } } },
      },
    }),
  )
  await gateway.api.online('everything')
  dataDir = join(directory, 'data')
})
afterAll(() => cleanup.disposeAsync())

let dataDir: string
const environment = () => ({ META_MCP_DATA_DIR: dataDir, HOME: home, XDG_CONFIG_HOME: join(home, '.config') })

/** Commands find the gateway by what it noted in the data dir. */
const cli = (args: string[], options: CliOptions = {}) =>
  runCommand(args, { ...options, env: { ...environment(), ...options.env } })

/** The same in a process of its own. */
const inProcess = (args: string[], { stdin = '' }: CliOptions = {}) => runProcess(args, { stdin, env: environment() })

/** What a command with `--json` prints: one JSON text on stdout and nothing on stderr. */
async function json<T = Record<string, unknown>>(args: string[], options: CliOptions = {}): Promise<T> {
  const { code, stdout, stderr } = await cli([...args, '--json'], options)
  expect([code, stderr], args.join(' ')).toEqual([0, ''])
  return JSON.parse(stdout) as T
}

/** A failure is one plain sentence and an exit code. */
async function failure(args: string[], run = cli): Promise<string> {
  const { code, stderr } = await run(args)
  expect(code, args.join(' ')).toBeGreaterThan(0)
  expect(stderr).toMatch(/^metamcp: [^\n]+\n$/)
  expect(stderr).not.toMatch(/\bat .*:\d+:\d+|Error:/)
  return stderr
}

describe('R010: the commands against a running gateway', () => {
  test('tell its servers, tools and health, for people and as JSON', async () => {
    expect((await cli(['servers'])).stdout).toMatch(/everything +online +\d+ +stdio/)
    expect(await json(['servers'])).toMatchObject({ total: 1, servers: [{ name: 'everything', status: 'online' }] })
    const { tools } = await json<{ tools: { name: string }[] }>(['tools'])
    expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(['everything__echo', 'ok', 'bad']))
    expect((await cli(['tools', '--server', 'http'])).stdout.split('\n').filter(Boolean)).toHaveLength(2)
    expect(await json(['tools', '--namespace', 'dev'])).toMatchObject({
      total: 1,
      tools: [{ name: 'everything__echo' }],
    })
    expect((await cli(['health'])).stdout).toMatch(/^healthy: MetaMCP .* at http/)
    expect(await json(['health'])).toMatchObject({ healthy: true })
  })

  test('call tools: arguments as pairs, as JSON and from stdin; a tool’s failure is exit code 1', async () => {
    expect((await cli(['call', 'everything__echo', 'message=hi there'])).stdout).toBe('Echo: hi there\n')
    expect((await cli(['call', 'everything__get-sum', 'a=2', 'b=40'])).stdout).toContain('42')
    expect((await cli(['call', 'ok', '--args', '{"n": 98765432109876543210}', '--json'])).stdout).toContain(
      '"id":12345678901234567890',
    )
    expect(backend.seen.at(-1)?.body).toBe('{"n": 98765432109876543210}')
    expect((await cli(['call', 'everything__echo', '-'], { stdin: '{"message":"piped"}' })).stdout).toBe(
      'Echo: piped\n',
    )
    const bad = await cli(['call', 'bad'])
    expect([bad.code, bad.stdout]).toEqual([1, expect.stringContaining('HTTP 404')])
    expect(bad.stderr).toMatch(/^metamcp: .*reported an error\n$/)
    expect(await failure(['call', 'nobody'])).toContain('Unknown tool: nobody')
    expect(await failure(['call', 'everything__get-sum', 'a=x', 'b=1'])).toContain('must be number')
    expect(await failure(['call', 'ok', '--args', '{broken'])).toContain('not JSON')
  })

  test('are processes that end with the same exit codes', async () => {
    expect(await inProcess(['call', 'everything__echo', 'message=hi'])).toEqual({
      code: 0,
      stdout: 'Echo: hi\n',
      stderr: '',
    })
    expect(await failure(['call', 'nobody'], inProcess)).toContain('Unknown tool: nobody')
  })

  test('know their version', async () => {
    expect(await cli(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  })

  test('add, list and remove a server', async () => {
    const { command, args } = realServers.files(home)
    const added = await cli(['add', 'files', '--', command, ...args])
    expect([added.code, added.stderr]).toEqual([0, ''])
    expect(added.stdout).toMatch(/^Added files: online, \d+ tools\.\n$/)
    expect(await failure(['add', 'files', '--', command, ...args])).toMatch(/files/)
    expect(await failure(['add', 'nothing'])).toContain('needs either a command')
    expect(await json(['remove', 'files'])).toEqual({ removed: 'files' })
    expect(await failure(['remove', 'files'])).toContain('Unknown server: files')
    expect(await failure(['remove', 'everything'])).toContain("operator's file")
  })

  test('import shows first what it would add, keeps secrets to itself, and adds', async () => {
    const { command, args } = realServers.memory(join(home, 'memory.jsonl'))
    const source = join(home, 'client.json')
    await writeFile(
      source,
      JSON.stringify({
        mcpServers: { mem: { command, args, env: { API_TOKEN: 'CANARY-1' } }, everything: { command } },
      }),
    )
    const dry = await cli(['import', source, '--dry-run'])
    expect(dry.stdout).toMatch(/Would add mem\n[^]*Left out everything/)
    expect(await json(['servers'])).toMatchObject({ total: 1 })
    expect(await failure(['import', join(home, 'absent.json')])).toContain('There is no configuration')
    const asked = await cli(['import', source])
    expect([asked.code, asked.stderr]).toEqual([1, expect.stringContaining('--yes')])
    const done = await cli(['import', source, '--yes', '--json'])
    expect(JSON.parse(done.stdout)).toMatchObject({ added: ['mem'], failed: [], dry_run: false })
    expect(dry.stdout + dry.stderr + asked.stderr + done.stdout + done.stderr).not.toContain('CANARY')
    await gateway.api.send('DELETE', 'proxy/servers/mem')
  })

  test.each(['cursor', 'vscode', 'claude-code'])(
    'config %s is what that client takes, with the address of the gateway',
    async (client) => {
      const { http, endpoint } = await json<{ http: Record<string, { metamcp: { url: string } }>; endpoint: string }>([
        'config',
        client,
      ])
      expect(endpoint).toBe(gateway.mcp)
      expect(http[client === 'vscode' ? 'servers' : 'mcpServers']?.metamcp.url).toBe(gateway.mcp)
      expect((await cli(['config', client, '--namespace', 'dev'])).stdout).toContain(`${gateway.mcp}/dev`)
    },
  )

  test('config claude is a command that works as it stands', async () => {
    const { stdio } = await json<{ stdio: { mcpServers: { metamcp: { command: string; args: string[] } } } }>([
      'config',
      'claude',
      '--namespace',
      'dev',
    ])
    const { command, args } = stdio.mcpServers.metamcp
    expect(command).toBe(process.execPath)
    const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } }
    const lines = [
      { jsonrpc: '2.0', id: 0, method: 'initialize', params: hello },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: 'list', method: 'tools/list' },
      {
        jsonrpc: '2.0',
        id: 2,
        method: 'tools/call',
        params: { name: 'everything__echo', arguments: { message: 'x' } },
      },
    ]
    const stdin = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    const { code, stdout, stderr } = await runProcess(args.slice(1), { stdin, cwd: home })
    expect([code, stderr]).toEqual([0, ''])
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: unknown; result: unknown })
    expect(answers.find(({ id }) => id === 'list')?.result).toMatchObject({ tools: [{ name: 'everything__echo' }] })
    expect(answers.find(({ id }) => id === 2)?.result).toMatchObject({ content: [{ text: 'Echo: x' }] })
  })

  test('doctor is content with a gateway that works, and names what does not', async () => {
    expect(await json(['doctor'])).toMatchObject({ ok: true })
    await gateway.api.send('POST', 'proxy/servers', { name: 'broken', command: 'no-such-command', start: 'eager' })
    const { code, stdout } = await cli(['doctor'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/FAIL {2}server broken: /)
    await gateway.api.send('DELETE', 'proxy/servers/broken')
    await mkdir(join(home, 'empty'))
    const alone = await cli(['doctor', '--json'], { env: { META_MCP_DATA_DIR: join(home, 'empty') } })
    expect(alone.code).toBe(1)
    expect(JSON.parse(alone.stdout)).toMatchObject({ ok: false })
  })

  test('say in one sentence when no gateway answers', async () => {
    for (const args of [
      ['servers'],
      ['tools'],
      ['call', 'x'],
      ['health'],
      ['remove', 'x'],
      ['add', 'x', '--', 'node'],
    ]) {
      const url = [args[0] === 'add' ? '--gateway' : '--url', 'http://127.0.0.1:9']
      expect(await failure([args[0]!, ...url, ...args.slice(1)])).toContain('No gateway answers at http://127.0.0.1:9')
    }
    expect(await failure(['health', '--url', 'nonsense'])).toContain('is no address of a gateway')
    const alone = (args: string[]) => cli(args, { env: { META_MCP_DATA_DIR: join(home, 'nobody') } })
    expect(await failure(['servers'], alone)).toContain(`No gateway runs on ${join(home, 'nobody')}`)
    expect(await json(['health', '--url', gateway.mcp])).toMatchObject({ healthy: true })
  })
})

test('a second gateway on the same data directory is refused with the pid of the first', async () => {
  const sentence = await failure(['serve', '--port', '0', '--data-dir', dataDir], inProcess)
  expect(sentence).toContain(`process ${gateway.pid}`)
  expect(JSON.parse(await readFile(join(dataDir, 'gateway.json'), 'utf8'))).toMatchObject({
    url: gateway.url,
    pid: gateway.pid,
  })
  expect((await cli(['health'])).code).toBe(0)
})
