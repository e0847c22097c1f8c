import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { REFUSED_COMMANDS, REFUSED_ENVIRONMENTS, REFUSED_LINES } from '../support/corpus/commands.ts'
import { sick, startGatewayChild, type GatewayChild } from '../support/gateway-child.ts'
import { descendants, isRunning } from '../support/processes.ts'
import { runCommand } from '../support/run-cli.ts'
import { newDirectory } from '../support/test-app.ts'
import { until } from '../support/until.ts'

/** What no child may ever see; the gateway has all of it in its environment. */
const CANARIES = {
  META_MCP_SECRET_KEY: 'canary-9f3kZ0qLx7Vb2mNw8Rt5Yh1Ud4Gs6Jp',
  META_MCP_ADMIN_PASSWORD: 'canary of the administrator',
  AWS_SECRET_ACCESS_KEY: 'canary-of-the-cloud',
  GITHUB_TOKEN: 'canary-of-the-forge',
  DATABASE_URL: 'postgresql://canary@example.com/canary',
  SSH_AUTH_SOCK: '/canary.sock',
}
const SHELL_WORDS = [
  '; touch pwned',
  '$(touch pwned)',
  '`touch pwned`',
  '&& touch pwned',
  '| touch pwned',
  "' touch",
  '*',
  '~',
  '-e',
  '%PATH%',
]

let stack: AsyncDisposableStack
let gateway: GatewayChild
let directory: string

beforeAll(async () => {
  stack = new AsyncDisposableStack()
  directory = stack.use(await newDirectory()).path
  gateway = stack.use(
    await startGatewayChild({
      directory,
      env: { META_MCP_ANONYMOUS_ROLE: 'admin', META_MCP_SEARCH_EMBEDDER: 'static', ...CANARIES },
      file: {
        servers: {
          nosy: sick('nosy', { start: 'eager', env: { OWN: 'mine' } }),
          shelly: sick('nosy', { start: 'eager', args: [...(sick('nosy')['args'] as string[]), ...SHELL_WORDS] }),
          elsewhere: { url: 'http://127.0.0.1:9/mcp', enabled: false },
        },
      },
    }),
  )
  await gateway.api.online('nosy', 'shelly')
})

afterAll(() => stack.disposeAsync())

interface Configuration {
  readonly command?: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

const words = (line: string): Configuration => {
  const [command = '', ...args] = line.split(' ')
  return { command, args }
}

/** Configurations that would run what somebody sends, and not a server. */
const CONFIGURATIONS: readonly Configuration[] = [
  ...REFUSED_LINES.map(words),
  ...REFUSED_COMMANDS.map((each) => ({ command: 'npx', ...each })),
  ...REFUSED_ENVIRONMENTS.map((env) => ({ ...words('npx -y @scope/server'), env })),
  ...['/', '/etc', '/tmp', '..', '.', '~', '/proc/self/cwd'].map((cwd) => ({ ...words('npx -y @scope/server'), cwd })),
]

const servers = async () =>
  (await gateway.api.send('GET', 'proxy/servers')).text.replaceAll(
    /"(last_error|status_reason|next_retry_at|status)":("[^"]*"|null)/g,
    '',
  )

/** Every way over the network to what the gateway starts. */
const ENTRIES: readonly (readonly [
  entry: string,
  send: (each: Configuration) => Promise<{ status: number; text: string }>,
  every: number,
])[] = [
  ['POST servers', (each) => gateway.api.send('POST', 'proxy/servers', { name: 'x', ...each }), 1],
  [
    'POST servers that says stdio',
    (each) => gateway.api.send('POST', 'proxy/servers', { name: 'x', transport: 'stdio', enabled: false, ...each }),
    3,
  ],
  ['PUT of a server of the file', (each) => gateway.api.send('PUT', 'proxy/servers/nosy', each), 3],
  ['PATCH of a server of the file', (each) => gateway.api.send('PATCH', 'proxy/servers/nosy', each), 3],
  ['PATCH of an address into a command', (each) => gateway.api.send('PATCH', 'proxy/servers/elsewhere', each), 3],
]

/** C1: nearly every gateway that was broken into let somebody choose what it starts. */
describe('C1, C2, C3, R257 over the API nobody starts what is no server', () => {
  test('there are more than 80 configurations', () => {
    expect(CONFIGURATIONS.length).toBeGreaterThan(300)
  })

  test.each(ENTRIES)('%s', async (entry, send, every) => {
    const rows = CONFIGURATIONS.filter((_, at) => at % every === 0)
    const [before, children] = [await servers(), descendants(gateway.pid).length]
    for (let at = 0; at < rows.length; at += 20) {
      await Promise.all(
        rows.slice(at, at + 20).map(async (each) => {
          const { status, text } = await send(each)
          expect([400, 403, 422], `${entry} ${JSON.stringify(each)}: ${status} ${text}`).toContain(status)
        }),
      )
    }
    expect(await servers()).toBe(before)
    expect(descendants(gateway.pid).length).toBe(children)
  })

  test('C1 discovery of a file: each is told as refused and none is registered', async () => {
    const plain = CONFIGURATIONS.filter(({ command }) => command !== '')
    const mcpServers = Object.fromEntries(plain.map((each, at) => [`evil-${at}`, each]))
    const folder = join(directory, 'data', 'found')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'servers.json'), JSON.stringify({ mcpServers }))
    const before = await servers()
    const { status, body } = await gateway.api.send<{ servers: { registered: boolean }[] }>('POST', 'proxy/discovery', {
      source: { kind: 'file', path: folder },
    })
    expect(status).toBe(200)
    expect(body.servers.filter(({ registered }) => registered)).toEqual([])
    expect(await servers()).toBe(before)
  })

  test('C1 discovery reads no file that lies elsewhere', async () => {
    const outside = [
      '/etc/passwd',
      '/etc',
      '../../../etc/hosts.json',
      `${directory}/data/../../x.json`,
      '/proc/self/environ',
    ]
    for (const path of outside) {
      const { status, text } = await gateway.api.send('POST', 'proxy/discovery', { source: { kind: 'file', path } })
      expect([path, status]).toEqual([path, 403])
      expect(text).not.toMatch(/root:|canary/)
    }
  })

  test('C1 commands add and import are refused like everybody', async () => {
    const before = await servers()
    const added = await runCommand(['add', 'evil', '--gateway', gateway.url, '--', 'sh', '-c', 'id'])
    expect([added.code, added.stderr]).toEqual([1, expect.stringMatching(/refused/)])
    const file = join(directory, 'claude.json')
    await writeFile(file, JSON.stringify({ mcpServers: { evil: { command: 'bash', args: ['-c', 'id'] } } }))
    const imported = await runCommand(['import', file, '--yes', '--url', gateway.url])
    expect([imported.code, imported.stdout]).toEqual([1, expect.stringMatching(/Not added evil/)])
    expect(await servers()).toBe(before)
  })

  test('C2 a server of the operator’s file takes nothing more to its command', async () => {
    for (const more of [
      { args: ['-e', 'process.exit()'] },
      { args: ['--import', 'data:text/javascript,1'] },
      { env: { NODE_OPTIONS: '--require /tmp/x.js' } },
      { env: { LD_PRELOAD: '/tmp/x.so' } },
      { cwd: '/' },
      { command: '/bin/sh' },
      { command: 'sh', args: [] },
    ])
      for (const method of ['PATCH', 'PUT'] as const)
        expect([403, 422]).toContain((await gateway.api.send(method, 'proxy/servers/nosy', more)).status)
    await gateway.api.online('nosy')
    expect((await gateway.api.execute('nosy__environment')).text).toContain('mine')
  })

  test('C3 no other word makes a command of an address', async () => {
    const before = await servers()
    for (const change of [
      { transport: 'stdio' },
      { transport: 'STDIO' },
      { transport: 'Stdio', command: 'sh', args: ['-c', 'id'] },
      { type: 'stdio', command: 'sh' },
      { kind: 'stdio', command: 'sh' },
      { connection: { kind: 'stdio', command: 'sh', args: [], env: {} } },
      { url: 'stdio:sh' },
      { url: 'file:///bin/sh' },
      { url: 'http://127.0.0.1:9/mcp', command: 'sh' },
      { url: 'http://127.0.0.1:9/mcp', transport: 'stdio' },
      { Command: 'sh' },
      { command: ['sh', '-c', 'id'] },
      { command: { toString: 'sh' } },
      { __proto__: null, command: 'sh', args: '-c id' },
    ])
      for (const [method, path, more] of [
        ['PATCH', 'proxy/servers/elsewhere', {}],
        ['PUT', 'proxy/servers/elsewhere', {}],
        ['POST', 'proxy/servers', { name: 'x' }],
      ] as const) {
        const { status, text } = await gateway.api.send(method, path, { ...more, ...change })
        expect([400, 403, 422], `${method} ${JSON.stringify(change)}: ${status} ${text}`).toContain(status)
      }
    for (const endpoint of ['stdio:sh', 'file:///bin/sh', 'exec:sh', 'node:child_process'])
      expect((await gateway.api.send('POST', 'tools', { name: 'x', description: 'x', endpoint })).status).toBe(422)
    expect((await gateway.api.send('POST', 'namespaces', { name: 'x', servers: [{ command: 'sh' }] })).status).toBe(422)
    expect(await servers()).toBe(before)
  })

  test('C1 where an operator says so, not even good commands are taken', async () => {
    await using place = await newDirectory()
    await using closed = await startGatewayChild({
      directory: place.path,
      env: { META_MCP_ANONYMOUS_ROLE: 'admin', META_MCP_STDIO_REGISTRATION: 'off', META_MCP_SEARCH_EMBEDDER: 'static' },
    })
    const good = { name: 'x', command: 'npx', args: ['-y', '@modelcontextprotocol/server-memory'] }
    expect((await closed.api.send('POST', 'proxy/servers', good)).status).toBe(403)
    expect(descendants(closed.pid)).toEqual([])
  })
})

const said = async (tool: string, args?: unknown): Promise<unknown> =>
  JSON.parse((await gateway.api.execute(tool, args)).body.result.content[0]?.text ?? '')

describe('what a server sees of the gateway', () => {
  test('C4 of its environment nothing but what finds programs, and what the operator gave', async () => {
    const environment = (await said('nosy__environment')) as Record<string, string>
    expect(JSON.stringify(environment)).not.toContain('canary')
    expect(environment['OWN']).toBe('mine')
    const names = Object.keys(environment).filter((name) => name.startsWith('META_MCP') || name.startsWith('NODE_'))
    expect(names).toEqual([])
    const known = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TERM', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'OWN']
    const other = Object.keys(environment).filter((name) => !known.includes(name))
    expect(other).toEqual([expect.stringMatching(/^METAMCP_/)])
  })

  test('C5 none of its sockets and files, only the three pipes to it', async () => {
    const open = (await said('nosy__descriptors')) as string[]
    const foreign = open.filter((each) => Number(each.split(' ')[0]) > 2 && /socket:|pipe:|\.db|secret/.test(each))
    const own = foreign.filter((each) => /pipe:/.test(each))
    // Node's own event loop has pipes; sockets and files it has none.
    expect(foreign.filter((each) => !own.includes(each))).toEqual([])
    expect(open.join('\n')).not.toContain(directory)
  })

  test('C6 what looks like a shell’s is data, in arguments of tools and of commands', async () => {
    const args = Object.fromEntries(SHELL_WORDS.map((word, at) => [`a${at}`, word]))
    expect(await said('nosy__arguments', args)).toEqual(args)
    const { argv, cwd } = (await said('shelly__process')) as { argv: string[]; cwd: string }
    expect(argv).toEqual(SHELL_WORDS)
    expect([cwd, directory, process.cwd()].filter((place) => existsSync(join(place, 'pwned')))).toEqual([])
  })
})

test('C7 a server ends with all that it started, daemons too: when it is removed and when the gateway stops', async () => {
  await using place = await newDirectory()
  const file = { servers: { family: sick('family', { start: 'eager' }), other: sick('family', { start: 'eager' }) } }
  const env = { META_MCP_ANONYMOUS_ROLE: 'admin', META_MCP_SEARCH_EMBEDDER: 'static' }
  await using stopping = await startGatewayChild({ directory: place.path, file, env })
  await stopping.api.online('family', 'other')
  const pidsOf = async (server: string) => {
    const { body } = await stopping.api.execute(`${server}__family`)
    return Object.values(JSON.parse(body.result.content[0]?.text ?? '{}') as Record<string, number>)
  }
  const [first, second] = [await pidsOf('family'), await pidsOf('other')]
  expect([...first, ...second].filter(isRunning)).toHaveLength(6)
  expect((await stopping.api.send('PATCH', 'proxy/servers/family', { enabled: false })).status).toBe(200)
  await until('the family is gone', () => !first.some(isRunning))
  expect(second.filter(isRunning)).toHaveLength(3)
  stopping.signal('SIGTERM')
  await stopping.exited
  expect(second.filter(isRunning)).toEqual([])
})
