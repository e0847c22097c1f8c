import { expect, test } from 'vitest'
import { mcpClients } from './clients.ts'
import { parseConfiguration } from './commented-json.ts'
import { foreignServers } from './foreign-servers.ts'

const CONTEXT = { env: { TOKEN: 't', EMPTY: '' }, cwd: '/work', home: '/home/me', gatewayUrl: 'http://127.0.0.1:8000' }
const names = (tree: unknown) => foreignServers(tree, CONTEXT).map(({ name }) => name)
const one = (entry: unknown) => foreignServers({ mcpServers: { a: entry } }, CONTEXT)[0]

test.each([
  [
    { command: 'npx', args: ['-y', 'x', 3] },
    { name: 'a', command: 'npx', args: ['-y', 'x', '3'], env: {} },
  ],
  [
    { command: 'x', env: { A: 1 }, cwd: '/c' },
    { name: 'a', command: 'x', args: [], env: { A: '1' }, cwd: '/c' },
  ],
  [{ url: 'https://h/mcp' }, { name: 'a', url: 'https://h/mcp', headers: {}, transport: 'auto' }],
  [
    { url: 'https://h', type: 'http' },
    { name: 'a', url: 'https://h', headers: {}, transport: 'streamable-http' },
  ],
  [
    { url: 'https://h', type: 'sse' },
    { name: 'a', url: 'https://h', headers: {}, transport: 'sse' },
  ],
  [{ serverUrl: 'https://h' }, { name: 'a', url: 'https://h', headers: {}, transport: 'auto' }],
  [{ httpUrl: 'https://h' }, { name: 'a', url: 'https://h', headers: {}, transport: 'streamable-http' }],
])('an entry of any client is understood: %j', (entry, registration) => {
  expect(one(entry)).toEqual({ name: 'a', registration })
})

test('places are filled as the client would fill them', () => {
  const entry = {
    command: '${workspaceFolder}/x',
    args: ['${userHome}', '${env:TOKEN}', '${EMPTY:-d}'],
    env: { A: '${TOKEN}' },
  }
  expect(one(entry)).toMatchObject({
    registration: { command: '/work/x', args: ['/home/me', 't', 'd'], env: { A: 't' } },
  })
})

test.each([
  [{ command: 'x', args: ['${input:key}'] }, 'nobody here knows ${input:key}'],
  [{ command: 'x', disabled: true }, 'it is disabled there'],
  [{ note: 'x' }, 'it has neither a command nor a URL'],
  ['x', 'it is not a group of keys'],
  [{ url: 'http://localhost:8000/mcp' }, 'it is this gateway'],
  [{ url: 'http://127.0.0.1:8000/mcp/dev' }, 'it is this gateway'],
  [{ command: 'node', args: ['/opt/metamcp/bin/metamcp.js', 'stdio'] }, 'it is this gateway'],
  [{ command: 'npx', args: ['-y', 'metamcp', 'stdio'] }, 'it is this gateway'],
])('%j is left out: %s', (entry, skipped) => {
  expect(one(entry)).toEqual({ name: 'a', skipped })
})

test('every layout is found, the most specific place first', () => {
  const x = { command: 'x' }
  expect(names({ servers: { vscode: x }, inputs: [] })).toEqual(['vscode'])
  expect(names({ mcp: { servers: { settings: x } } })).toEqual(['settings'])
  expect(
    names({ projects: { '/work': { mcpServers: { p: x } }, '/else': { mcpServers: { q: x } } }, mcpServers: { u: x } }),
  ).toEqual(['p', 'u'])
  const twice = {
    projects: { '/work': { mcpServers: { a: { command: 'near' } } } },
    mcpServers: { a: { command: 'far' } },
  }
  expect(foreignServers(twice, CONTEXT)).toMatchObject([{ registration: { command: 'near' } }])
  expect(names(null)).toEqual([])
  expect(names([])).toEqual([])
})

test('JSON as editors write it is read: comments, trailing commas, a byte order mark; and YAML', () => {
  const text = '\uFEFF// head\n{ "a": "http://x//y", /* c */ "b": [1, 2, /* e */ ], "c": ",}", }'
  expect(parseConfiguration(text)).toEqual({ a: 'http://x//y', b: [1, 2], c: ',}' })
  expect(parseConfiguration('mcpServers:\n  a: { command: x }')).toEqual({ mcpServers: { a: { command: 'x' } } })
  expect(() => parseConfiguration('{ "a": ')).toThrow(SyntaxError)
})

test.each([
  ['linux', {}, '/home/me/.config/Claude/claude_desktop_config.json'],
  ['linux', { XDG_CONFIG_HOME: '/x' }, '/x/Claude/claude_desktop_config.json'],
  ['darwin', {}, '/home/me/Library/Application Support/Claude/claude_desktop_config.json'],
  ['win32', { APPDATA: 'C:\\A' }, 'C:\\A\\Claude\\claude_desktop_config.json'],
] as const)('on %s %j Claude Desktop keeps its servers in %s', (platform, env, file) => {
  expect(mcpClients({ platform, env, home: '/home/me', cwd: '/work' })['claude']?.files).toEqual([file])
})
