import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { json } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeGatewayFile } from '#config/gateway-file'
import type { CliIo } from './io.ts'
import { runCli, type GatewayCommands } from './program.ts'

const TIME = '2026-01-02T03:04:05.678Z'

// prettier-ignore
const SERVER = {
  server_id: 'id-files', name: 'files', description: null, transport: 'stdio', era: 'modern', protocol_version: null,
  status: 'online', status_reason: 'connected', last_error: null, next_retry_at: null, connected_at: TIME, sessions: 1,
  tool_count: 14, prefix: 'files', start: 'lazy', share: 'auto', timeout_ms: 1, max_concurrency: 1, enabled: true,
  breaker: null, retry: null, cache: null, origin: 'api', created_at: TIME, updated_at: TIME,
}

// prettier-ignore
const TOOL = {
  id: 't', name: 'files__read', exposed_name: 'files__read', original_name: 'read', server: 'files', kind: 'mcp',
  description: 'Reads a file\u001B[31m\nand more', output_schema: null, annotations: null, category: null, tags: [],
  input_schema: { type: 'object', properties: { path: { type: 'string' }, count: { type: 'integer' } } },
  capabilities: [], security_level: 0, version: null, enabled: true, metadata: {}, breaker: null, retry: null, fallback: null, read_only: false, cache: null, timeout_ms: 1, created_at: TIME,
  updated_at: TIME,
}

/** What the gateway of a test answers; `null` is an empty 204. */
type Reply = { readonly status?: number; readonly body: unknown }
interface Seen {
  readonly route: string
  readonly query: URLSearchParams
  readonly body: unknown
}

/** A gateway that answers as the contract says and notes what it was asked. */
class FakeGateway {
  readonly seen: Seen[] = []
  readonly replies = new Map<string, Reply[]>()
  readonly #http: HttpServer = createServer((request, response) => {
    void this.#answer(request).then(({ status = 200, body }) => {
      response.writeHead(body === null ? 204 : status, { 'content-type': 'application/json' })
      response.end(typeof body === 'string' ? body : body === null ? undefined : JSON.stringify(body))
    })
  })

  async start(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#http.listen(0, '127.0.0.1', resolve)
    })
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`
  }

  /** The last reply stays for all further requests. */
  on(route: string, ...replies: Reply[]): this {
    this.replies.set(route, replies)
    return this
  }

  async #answer(request: IncomingMessage): Promise<Reply> {
    const url = new URL(request.url ?? '', 'http://h')
    const route = `${request.method} ${url.pathname.replace('/api/v1/', '')}`
    this.seen.push({
      route,
      query: url.searchParams,
      body: request.method === 'POST' ? await json(request) : undefined,
    })
    const replies = this.replies.get(route) ?? []
    return (replies.length > 1 ? replies.shift() : replies[0]) ?? refusal(404, 'not_found', `No ${route}`)
  }

  async stop(): Promise<void> {
    this.#http.closeAllConnections()
    await new Promise((resolve) => this.#http.close(resolve))
  }
}

const refusal = (status: number, error: string, message: string): Reply => ({
  status,
  body: { error, message, details: {}, timestamp: TIME },
})
const page = (key: string, items: unknown[], total = items.length): Reply => ({
  body: { [key]: items, total, limit: 1000, offset: 0 },
})
const none = () => Promise.reject(new Error('This test starts no gateway'))
const NO_COMMANDS: GatewayCommands = { serve: none, stdio: none, audit: none }

let gateway: FakeGateway
let url: string
let home: string
beforeEach(async () => {
  gateway = new FakeGateway()
  url = await gateway.start()
  home = mkdtempSync(join(tmpdir(), 'metamcp-cli-'))
})
afterEach(async () => {
  await gateway.stop()
  rmSync(home, { recursive: true, force: true })
})

interface Run {
  readonly stdin?: string
  readonly env?: Record<string, string>
  readonly isTerminal?: boolean
}

async function run(line: readonly string[], { stdin = '', env = {}, isTerminal = false }: Run = {}) {
  let stdout = ''
  let stderr = ''
  const io: CliIo = {
    stdin: Object.assign(Readable.from([stdin]), { isTTY: isTerminal }),
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    env: { META_MCP_DATA_DIR: join(home, 'data'), ...env },
    home,
    cwd: home,
    platform: 'linux',
  }
  const code = await runCli(['/usr/bin/node', '/opt/bin/metamcp.js', ...line], io, NO_COMMANDS)
  return { code, stdout, stderr }
}

// prettier-ignore
const execution = (result: unknown, isError = false) => ({
  body: {
    execution_id: 'e', tool_name: 'files__read', server: 'files', status: isError ? 'error' : 'success', result,
    is_error: isError, fallback: null, cached: false, stale: false, execution_time: 0.1, executed_by: 'anonymous', timestamp: TIME,
  },
})
const text = (value: string) => ({ content: [{ type: 'text', text: value }] })

const write = (file: string, content: unknown): void => {
  mkdirSync(join(home, file, '..'), { recursive: true })
  writeFileSync(join(home, file), JSON.stringify(content))
}
const posts = () => gateway.seen.filter(({ route }) => route.startsWith('POST')).map(({ body }) => body)

describe('R010 a command that talks to a gateway', () => {
  test.each([['servers'], ['tools'], ['health'], ['remove', 'x'], ['add', 'x', '--', 'y'], ['call', 'x']])(
    '%s without a gateway fails with one plain sentence',
    async (...line) => {
      await gateway.stop()
      const where = line[0] === 'add' ? ['add', '--gateway', url, ...line.slice(1)] : [...line, '--url', url]
      const { code, stdout, stderr } = await run(where)
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toMatch(/^metamcp: No gateway answers at http:\/\/127\.0\.0\.1:\d+; start one with .*\n$/)
      await gateway.start()
    },
  )

  test("a refusal is shown in the gateway's words, without what could steer the terminal", async () => {
    gateway.on('GET proxy/servers', refusal(503, 'unavailable', 'Storage is\u001B[2J down'))
    expect(await run(['servers', '--url', url])).toEqual({ code: 1, stdout: '', stderr: 'metamcp: Storage is down\n' })
  })

  test.each(['<html>', '{"a":1}', '[]'])('what answers %s is no gateway, and the sentence says so', async (body) => {
    gateway.on('GET proxy/servers', { body })
    const { code, stderr } = await run(['servers', '--url', url])
    expect(code).toBe(1)
    expect(stderr).toMatch(/is not a MetaMCP gateway/)
  })

  test('the running gateway is found by its note in the data dir', async () => {
    await writeGatewayFile(join(home, 'data'), { url, pid: process.pid })
    gateway.on('GET tools', page('tools', []))
    expect(await run(['tools'])).toMatchObject({ code: 0, stdout: 'No tools.\n' })
  })
})

describe('servers, tools, health', () => {
  test('servers shows name, status, tools and the reason; --json is what the gateway sent', async () => {
    gateway.on('GET proxy/servers', page('servers', [{ ...SERVER, extra: 1 }]))
    expect((await run(['servers', '--url', url])).stdout).toMatch(/files +online +14 +stdio +connected\n$/)
    const { stdout } = await run(['servers', '--json', '--url', url])
    expect(JSON.parse(stdout)).toEqual({ servers: [{ ...SERVER, extra: 1 }], total: 1 })
  })

  test('tools reads every page, passes filters on, and cleans descriptions', async () => {
    gateway.on('GET tools', page('tools', [TOOL], 2), page('tools', [{ ...TOOL, name: 'second' }], 2))
    const { stdout } = await run(['tools', '--url', url, '--server', 'files'])
    expect(stdout).toBe('files__read  Reads a file and more\nsecond       Reads a file and more\n')
    expect(gateway.seen.map(({ query }) => [query.get('server'), query.get('offset')])).toEqual([
      ['files', '0'],
      ['files', '1'],
    ])
  })

  test.each([
    [true, 0],
    [false, 1],
  ])('health of a gateway that is healthy: %s exits with %i', async (healthy, code) => {
    const status = healthy ? 'healthy' : 'draining'
    gateway.on('GET health', { body: { healthy, status, version: '1.2.3', uptime: 300, timestamp: TIME } })
    expect(await run(['health', '--url', url])).toMatchObject({
      code,
      stdout: expect.stringContaining('up 5 min') as string,
    })
    expect(JSON.parse((await run(['health', '--json', '--url', url])).stdout)).toMatchObject({ status })
  })
})

describe('add and remove', () => {
  test('a command after -- is registered word by word, and the outcome awaited', async () => {
    const connecting = { ...SERVER, status: 'connecting', tool_count: 0 }
    gateway.on('POST proxy/servers', { status: 201, body: connecting })
    gateway.on('GET proxy/servers/id-files', { body: connecting }, { body: SERVER })
    const line = ['add', 'files', '--gateway', url, '--env', 'A=b=c', '--', 'npx', '-y', 'x', '--flag', '; rm -rf']
    expect(await run(line)).toEqual({ code: 0, stdout: 'Added files: online, 14 tools.\n', stderr: '' })
    const body = { name: 'files', command: 'npx', args: ['-y', 'x', '--flag', '; rm -rf'], env: { A: 'b=c' } }
    expect(gateway.seen[0]?.body).toEqual(body)
  })

  test('an address is registered with its headers; a server that stays down is told', async () => {
    const down = { ...SERVER, name: 'far', status: 'offline', status_reason: 'refused', tool_count: 0 }
    gateway.on('POST proxy/servers', { status: 201, body: down })
    const header = ['--header', 'Authorization: Bearer x:y', '--header', 'X-A:1']
    const { code, stderr } = await run(['add', 'far', '--gateway', url, '--url', 'https://h/mcp', ...header])
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'metamcp: far is added but offline: refused\n' })
    expect(gateway.seen[0]?.body).toEqual({
      name: 'far',
      url: 'https://h/mcp',
      headers: { Authorization: 'Bearer x:y', 'X-A': '1' },
    })
  })

  test('a secret is no argument: ${NAME} is taken from the environment', async () => {
    gateway.on('POST proxy/servers', { status: 201, body: SERVER })
    const line = [
      'add',
      'far',
      '--gateway',
      url,
      '--url',
      'https://h/mcp',
      '--header',
      'Authorization: Bearer ${TOKEN}',
    ]
    expect(await run(line, { env: { TOKEN: 'x:y' } })).toMatchObject({ code: 0 })
    expect(posts()).toMatchObject([{ headers: { Authorization: 'Bearer x:y' } }])
    const missing = await run(line)
    expect([missing.code, missing.stderr]).toEqual([1, 'metamcp: The environment variable TOKEN is not set\n'])
    expect(posts()).toHaveLength(1)
  })

  test.each([
    [['add', 'x']],
    [['add', 'x', '--url', 'http://h', '--', 'y']],
    [['add', 'x', '--header', 'nocolon', '--url', 'u']],
  ])('%j asks for nothing that can be done', async (line) => {
    expect(await run([...line.slice(0, 2), '--gateway', url, ...line.slice(2)])).toMatchObject({ code: 1 })
    expect(gateway.seen).toEqual([])
  })

  test('remove addresses any name, however odd', async () => {
    gateway.on('DELETE proxy/servers/a%2Fb%20c', { body: null })
    expect(await run(['remove', 'a/b c', '--url', url])).toMatchObject({ code: 0, stdout: 'Removed a/b c.\n' })
    expect(await run(['remove', 'nobody', '--url', url])).toMatchObject({ code: 1 })
  })
})

describe('call', () => {
  const EXECUTE = 'POST tools/files__read/execute'
  test("key=value is read by the tool's schema and the texts of the result are printed", async () => {
    gateway.on('GET tools/files__read', { body: TOOL }).on(EXECUTE, execution(text('hello')))
    const line = ['call', 'files__read', 'path=7', 'count=7', '--url', url]
    expect(await run(line)).toEqual({ code: 0, stdout: 'hello\n', stderr: '' })
    expect(gateway.seen.at(-1)?.body).toEqual({ arguments: { path: '7', count: 7 } })
  })

  test.each([
    ['--args', [`--args`, '{"path":"x"}'], ''],
    ['- from stdin', ['-'], '{"path":"x"}'],
    ['--args - from stdin', ['--args', '-'], '{"path":"x"}'],
  ])('arguments come as JSON by %s', async (_, words, stdin) => {
    gateway.on(EXECUTE, execution(text('ok')))
    expect(await run(['call', 'files__read', ...words, '--url', url], { stdin })).toMatchObject({ code: 0 })
    expect(gateway.seen.map(({ body }) => body)).toEqual([{ arguments: { path: 'x' } }])
  })

  test("a tool's own failure exits with 1 and still prints what it said", async () => {
    gateway.on(EXECUTE, execution(text('no such file'), true))
    expect(await run(['call', 'files__read', '--url', url])).toEqual({
      code: 1,
      stdout: 'no such file\n',
      stderr: 'metamcp: The tool files__read reported an error\n',
    })
  })

  test('--json prints the answer to the letter: no digit is lost', async () => {
    const body = JSON.stringify(execution({ content: [], n: 0 }).body).replace('"n":0', '"n":12345678901234567890')
    gateway.on(EXECUTE, { body })
    expect((await run(['call', 'files__read', '--json', '--url', url])).stdout).toBe(`${body}\n`)
  })

  test.each([
    ['{"a":', 'is not JSON'],
    ['[1]', 'is not a JSON object'],
  ])('--args %s is refused before anything is called', async (args, sentence) => {
    const { code, stderr } = await run(['call', 'files__read', '--args', args, '--url', url])
    expect(code).toBe(1)
    expect(stderr).toContain(sentence)
    expect(gateway.seen).toEqual([])
  })
})

describe('import', () => {
  const CURSOR = {
    mcpServers: {
      files: { command: 'x' },
      far: { url: 'https://h/mcp' },
      metamcp: { command: 'metamcp', args: ['stdio'] },
    },
  }
  beforeEach(() => {
    write('.cursor/mcp.json', CURSOR)
    gateway.on('GET proxy/servers', page('servers', [SERVER])).on('POST proxy/servers', { status: 201, body: SERVER })
  })

  test('--dry-run shows what would be added and adds nothing', async () => {
    const { code, stdout } = await run(['import', 'cursor', '--dry-run', '--url', url])
    expect(code).toBe(0)
    expect(stdout).toContain('Would add far')
    expect(stdout).toContain('Left out files: the gateway has one of this name')
    expect(stdout).toContain('Left out metamcp: it is this gateway')
    expect(posts()).toEqual([])
  })

  test('--yes adds what is new, from a client or from a file', async () => {
    write('some.json', { servers: { other: { type: 'http', url: 'https://o' } } })
    await run(['import', 'cursor', '--yes', '--url', url])
    const { stdout } = await run(['import', 'some.json', '--yes', '--json', '--url', url])
    expect(posts()).toMatchObject([
      { name: 'far', url: 'https://h/mcp' },
      { name: 'other', transport: 'streamable-http' },
    ])
    expect(JSON.parse(stdout)).toMatchObject({ added: ['other'], dry_run: false })
  })

  test.each([
    ['y\n', 0, 1],
    ['n\n', 1, 0],
    ['', 1, 0],
  ])('on a terminal the answer %j decides', async (stdin, code, count) => {
    const { stderr, ...ended } = await run(['import', 'cursor', '--url', url], { stdin, isTerminal: true })
    expect(ended.code).toBe(code)
    expect(stderr).toContain('  far: https://h/mcp\nAdd 1 to the gateway? [y/N] ')
    expect(posts()).toHaveLength(count)
  })

  test('without a terminal and --yes nothing is added', async () => {
    const { code, stderr } = await run(['import', 'cursor', '--url', url])
    expect(code).toBe(1)
    expect(stderr).toContain('--yes')
    expect(posts()).toEqual([])
  })

  test('what the gateway refuses is told for each server, and the others are added', async () => {
    write('some.json', { mcpServers: { bad: { command: 'sh' }, good: { command: 'x' } } })
    gateway.on('POST proxy/servers', refusal(403, 'policy_violation', 'No shells'), { status: 201, body: SERVER })
    const { code, stdout } = await run(['import', 'some.json', '--yes', '--url', url])
    expect(code).toBe(1)
    expect(stdout).toContain('Added good\nNot added bad: No shells')
  })

  test('a source that does not exist is named', async () => {
    expect((await run(['import', 'windsurf', '--url', url])).stderr).toContain('.codeium/windsurf/mcp_config.json')
  })
})

describe('doctor', () => {
  const healthy = { body: { healthy: true, status: 'healthy', version: '1', uptime: 1, timestamp: TIME } }

  test('a healthy installation passes', async () => {
    gateway.on('GET health', healthy).on('GET proxy/servers', page('servers', [SERVER]))
    const { code, stdout } = await run(['doctor', '--json', '--url', url])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ ok: true })
  })

  test('a server that cannot start is named with the reason and what to do', async () => {
    const down = { ...SERVER, status: 'offline', status_reason: 'spawn npxx ENOENT' }
    gateway.on('GET health', healthy).on('GET proxy/servers', page('servers', [down]))
    const { code, stdout, stderr } = await run(['doctor', '--url', url])
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'metamcp: One check failed\n' })
    expect(stdout).toMatch(/FAIL {2}server files: offline.*ENOENT\n +Is the command installed/)
  })

  test('bad settings and a silent gateway are both told', async () => {
    await gateway.stop()
    const { code, stdout } = await run(['doctor', '--url', url], { env: { META_MCP_PROT: '1' } })
    expect(code).toBe(1)
    expect(stdout).toMatch(/FAIL {2}settings: .*META_MCP_PORT/)
    expect(stdout).toMatch(/FAIL {2}gateway: No gateway answers/)
    await gateway.start()
  })
})
