import { resolve } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Config } from './config.ts'
import { loadConfig, type ConfigFlags } from './load.ts'
import { ConfigError } from './problems.ts'

interface World {
  readonly flags?: ConfigFlags
  readonly env?: Record<string, string>
  readonly files?: Record<string, string>
}

function load({ flags = {}, env = {}, files = {} }: World): Config {
  const readFile = (path: string): string => {
    const text = files[path]
    if (text === undefined) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' })
    return text
  }
  return loadConfig({ flags, env, readFile })
}

/** The config of a file with this text. */
const loadText = (text: string, world: World = {}) =>
  load({ ...world, flags: { config: '/etc/m.yaml', ...world.flags }, files: { '/etc/m.yaml': text, ...world.files } })

function problemsOf(action: () => unknown): string[] {
  try {
    action()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ source, text }) => `${source}: ${text}`)
    throw error
  }
  return []
}

describe('R200 R201 settings', () => {
  test('a flag beats the environment, the environment the file, the file the default', () => {
    const file = 'settings: { port: 3, host: 127.0.0.3, max_body_bytes: 2048 }'
    const config = loadText(file, { flags: { port: '1' }, env: { META_MCP_PORT: '2', META_MCP_HOST: '127.0.0.2' } })
    expect(config).toMatchObject({ port: 1, host: '127.0.0.2', bodyBytesMax: 2048, toolTimeoutMs: 30_000 })
  })

  test('without anything said the gateway listens on 127.0.0.1:8000 and logs at INFO', () => {
    expect(load({})).toMatchObject({ host: '127.0.0.1', port: 8000, debug: false, logLevel: 'INFO' })
  })

  test.each(['127.0.0.1', '127.8.9.10', '::1', '[::1]', 'localhost'])('R200 %s is an address to listen on', (host) => {
    expect(load({ env: { META_MCP_HOST: host } }).host).toBe(host.replaceAll(/[[\]]/g, ''))
  })

  test.each(['0.0.0.0', '::', '192.168.1.5'])(
    'R200 N2 %s reaches other machines: nobody without a credential',
    (host) => {
      expect(load({ env: { META_MCP_HOST: host } })).toMatchObject({ host, isLoopbackOnly: false })
      const env = { META_MCP_HOST: host, META_MCP_ANONYMOUS_ROLE: 'viewer' }
      expect(problemsOf(() => load({ env }))).toEqual([
        expect.stringMatching(/^environment META_MCP_ANONYMOUS_ROLE: is viewer, which everybody who reaches/),
      ])
    },
  )

  test.each(['example.com', '127.evil.example', '127.1', '0', 'localhost.'])(
    'R200 %s is no address to listen on',
    (host) => {
      expect(problemsOf(() => load({ env: { META_MCP_HOST: host } }))).toEqual([
        expect.stringMatching(/^environment META_MCP_HOST: must be an IP address or localhost/),
      ])
    },
  )

  test.each(['80x', '-1', '65536', '1.5', '0x50', '1e3', ' '])(
    'R201 a bad port is named with its source: %j',
    (port) => {
      const problems = problemsOf(() => load({ flags: { port } }))
      expect(problems).toEqual([`flag --port: must be a whole number from 0 to 65535, not ${JSON.stringify(port)}`])
    },
  )

  test('R202 debug raises the level of the log, and a level that is set wins', () => {
    expect(load({ env: { META_MCP_DEBUG: 'true' } })).toMatchObject({ debug: true, logLevel: 'DEBUG' })
    const both = { META_MCP_DEBUG: '1', META_MCP_LOGGING_LEVEL: 'error' }
    expect(load({ env: both })).toMatchObject({ debug: true, logLevel: 'ERROR' })
    expect(problemsOf(() => load({ env: { META_MCP_DEBUG: 'maybe' } }))).toHaveLength(1)
  })

  test.each([
    ['DEBUG', 'DEBUG'],
    ['info', 'INFO'],
    ['Warning', 'WARNING'],
    ['WARN', 'WARNING'],
    ['ERROR', 'ERROR'],
  ])('R210 the level %s is read as %s', (text, level) => {
    expect(load({ env: { META_MCP_LOGGING_LEVEL: text } }).logLevel).toBe(level)
  })

  test('R206 the database is SQLite in the data dir unless a URL says otherwise, and its password never shows', () => {
    expect(load({ env: { META_MCP_DATA_DIR: '/data' } }).database).toEqual({ kind: 'sqlite', path: '/data/metamcp.db' })
    expect(load({ env: { META_MCP_DATABASE_URL: 'sqlite:/x/y.db' } }).database).toMatchObject({ path: '/x/y.db' })
    const config = load({ env: { META_MCP_DATABASE_URL: 'postgresql://u:hunter2@h/d' } })
    expect(config.database.kind === 'postgres' && config.database.url.reveal()).toBe('postgresql://u:hunter2@h/d')
    expect(JSON.stringify(config)).not.toContain('hunter2')
    const wrong = problemsOf(() => load({ env: { META_MCP_DATABASE_URL: 'mysql://u:hunter2@h/d' } }))
    expect(wrong).toEqual([expect.stringContaining('postgresql://')])
    expect(wrong.join()).not.toContain('hunter2')
  })

  test('an empty variable is not set: compose files export them so', () => {
    expect(load({ env: { META_MCP_PORT: '', META_MCP_CONFIG: '', META_MCP_CACHE_TTL: '' } })).toMatchObject({
      port: 8000,
    })
  })

  test('a mistyped variable is an error that names the right one', () => {
    expect(problemsOf(() => load({ env: { META_MCP_LOGING_LEVEL: 'INFO' } }))).toEqual([
      'environment META_MCP_LOGING_LEVEL: unknown setting, did you mean META_MCP_LOGGING_LEVEL?',
    ])
  })

  test.each([
    ['META_MCP_ALLOWED_HOSTS', 'a.example, b:81', { allowedHosts: ['a.example', 'b:81'] }],
    ['META_MCP_ALLOWED_ORIGINS', 'https://a.example', { allowedOrigins: ['https://a.example'] }],
    [
      'META_MCP_EGRESS_ALLOW',
      '10.0.0.0/8,db.internal,fd00::/8',
      { egressAllow: ['10.0.0.0/8', 'db.internal', 'fd00::/8'] },
    ],
    ['META_MCP_STDIO_REGISTRATION', 'OFF', { stdioRegistration: 'off' }],
    ['META_MCP_TOOL_TIMEOUT_SECONDS', '1.5', { toolTimeoutMs: 1500 }],
    ['META_MCP_GRACE_PERIOD_SECONDS', '0', { gracePeriodMs: 0 }],
    ['META_MCP_HANDSHAKE_TIMEOUT_SECONDS', '2', { handshakeTimeoutMs: 2000 }],
    ['META_MCP_SESSION_IDLE_SECONDS', '60', { sessionIdleMsMax: 60_000 }],
    ['META_MCP_REQUEST_TIMEOUT_SECONDS', '5', { requestTimeoutMs: 5000 }],
    ['META_MCP_MAX_STREAMS', '7', { streamsMax: 7 }],
    ['META_MCP_MAX_RESULT_BYTES', '4096', { resultBytesMax: 4096 }],
  ])('%s=%s is understood', (name, value, expected) => {
    expect(load({ env: { [name]: value } })).toMatchObject(expected)
  })

  test.each([
    ['META_MCP_ALLOWED_HOSTS', 'https://a.example/'],
    ['META_MCP_ALLOWED_ORIGINS', 'a.example'],
    ['META_MCP_ALLOWED_ORIGINS', 'https://a.example/path'],
    ['META_MCP_EGRESS_ALLOW', '10.0.0.0/33'],
    ['META_MCP_EGRESS_ALLOW', 'a/b'],
    ['META_MCP_STDIO_REGISTRATION', 'sometimes'],
    ['META_MCP_TOOL_TIMEOUT_SECONDS', '0'],
    ['META_MCP_MAX_BODY_BYTES', '4k'],
  ])('%s=%s is refused', (name, value) => {
    expect(problemsOf(() => load({ env: { [name]: value } }))).toEqual([
      expect.stringMatching(`^environment ${name}: `),
    ])
  })

  test.each([
    ['short', 'too-short'],
    ['a tutorial', '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7'],
    ['a placeholder', 'your-secret-key-change-in-production-please'],
    ['one letter', 'a'.repeat(64)],
    ['a repeated word', 'tr0ub4dor'.repeat(8)],
  ])('a signing key that anybody can guess is refused without repeating it: %s', (_, key) => {
    const problems = problemsOf(() => load({ env: { META_MCP_SECRET_KEY: key } }))
    expect(problems).toEqual([expect.stringMatching(/^environment META_MCP_SECRET_KEY: /)])
    expect(problems.join()).not.toContain(key)
  })

  test('a strong signing key is kept and never printed', () => {
    const key = 'k9Zq-4vXw2Lm7Tb1Yc6Rd8Pf3Hs5Ja0Ne'
    const config = load({ env: { META_MCP_SECRET_KEY: key } })
    expect(config.secretKey?.reveal()).toBe(key)
    expect(`${JSON.stringify(config)} ${String(config.secretKey)}`).not.toContain(key)
  })

  test('nobody changes the config after it was read', () => {
    const config = loadText('servers: { a: { command: x, env: { K: v } } }')
    const [server] = config.dynamic.servers
    expect(() => Object.assign(config, { port: 1 })).toThrow(TypeError)
    expect(() => Object.assign(server!.connection, { kind: 'http' })).toThrow(TypeError)
  })
})

describe('the file', () => {
  test("a client's mcpServers are servers with every default filled in", () => {
    const text = JSON.stringify({ mcpServers: { 'my files': { command: 'npx', args: ['-y', 'x'], env: { A: 'b' } } } })
    expect(loadText(text).dynamic.servers).toEqual([
      {
        name: 'my files',
        connection: { kind: 'stdio', command: 'npx', args: ['-y', 'x'], env: { A: 'b' } },
        prefix: 'my_files',
        enabled: true,
        era: 'auto',
        start: 'eager',
        share: 'auto',
        timeoutMs: 30_000,
        maxConcurrency: 64,
      },
    ])
  })

  test('the full form says everything', () => {
    const { dynamic } = loadText(`
servers:
  remote: { url: https://h/mcp, headers: { X: 1 }, transport: sse, era: legacy, prefix: "", timeoutMs: 5, share: never, start: eager }
  gone: { command: x, cwd: sub, disabled: true }
tools:
  weather: { endpoint: "http://h/{city}", method: GET, description: d, inputSchema: { type: object }, securityLevel: 3 }
namespaces:
  dev: { servers: [remote], tools: { include: ["a*"], exclude: ["b"] }, expose: search, overrides: { a: { name: z } } }
guards:
  - { tools: ["*"], redact: { pattern: "\\\\d+", replacement: "#" }, module: ./g.js }
discovery:
  - { kind: network, hosts: [h], ports: [1] }
`)
    const [remote, gone] = dynamic.servers
    expect(remote).toMatchObject({ prefix: '', era: 'legacy', share: 'never', start: 'eager', timeoutMs: 5 })
    expect(remote?.connection).toEqual({ kind: 'http', url: 'https://h/mcp', headers: { X: '1' }, transport: 'sse' })
    expect(gone).toMatchObject({ enabled: false, connection: { cwd: resolve('sub') } })
    expect(dynamic.tools).toMatchObject([{ name: 'weather', method: 'GET', securityLevel: 3, tags: [], enabled: true }])
    expect(dynamic.namespaces).toEqual([
      {
        name: 'dev',
        servers: ['remote'],
        include: ['a*'],
        exclude: ['b'],
        expose: 'search',
        overrides: { a: { name: 'z' } },
      },
    ])
    expect(dynamic.guards).toEqual([
      { tools: ['*'], redact: { pattern: '\\d+', replacement: '#' }, module: resolve('g.js') },
    ])
    expect(dynamic.discovery).toEqual([{ kind: 'network', hosts: ['h'], ports: [1], path: '/mcp' }])
  })

  test.each([
    ['http', 'streamable-http'],
    ['streamableHttp', 'streamable-http'],
    ['sse', 'sse'],
  ])('type %s of a client means the transport %s', (type, transport) => {
    const [server] = loadText(`mcpServers: { a: { url: "http://h/mcp", type: ${type} } }`).dynamic.servers
    expect(server?.connection).toMatchObject({ transport })
  })

  test('${…} takes variables, defaults and files, and $${ stays', () => {
    const files = { '/run/key': 'from-file\n' }
    const text =
      'servers: { a: { command: "${CMD}", args: ["${NO:-d}", "x${file:/run/key}y", "$${CMD}", "${env:CMD}", "${NO:-}"] } }'
    const [server] = loadText(text, { env: { CMD: 'run', NO: '' }, files }).dynamic.servers
    expect(server?.connection).toMatchObject({ command: 'run', args: ['d', 'xfrom-filey', '${CMD}', 'run', ''] })
  })

  test.each([
    ['${NOPE}', 'the environment variable NOPE is not set'],
    ['${file:/nope}', '${file:/nope} cannot be read: it does not exist'],
    ['${input:x}', '"${input:x}" is not ${NAME}, ${NAME:-default} or ${file:/path}; write $${ for a plain ${'],
  ])('%s that leads nowhere is an error that names the place', (place, sentence) => {
    const text = `servers: { a: { url: "${place}" } }`
    expect(problemsOf(() => loadText(text))).toEqual([`/etc/m.yaml:servers.a.url: ${sentence}`])
  })

  test('all problems of file, environment and flags are told at once, each with its source', () => {
    const text = `
servers:
  a: { commnad: x, timeout_ms: 3 }
  b: { url: "http://h", command: y, start: never }
  c: 3
settings: { prot: 1, host: everywhere }
namespace: {}
`
    const problems = problemsOf(() => loadText(text, { flags: { port: 'x' }, env: { META_MCP_PORTS: '1' } }))
    for (const start of [
      '/etc/m.yaml:servers.a.commnad: unknown key, did you mean "command"?',
      '/etc/m.yaml:servers.a.timeout_ms: unknown key, did you mean "timeoutMs"?',
      '/etc/m.yaml:servers.b.start: must be one of lazy, eager',
      '/etc/m.yaml:servers.b: needs either "command" or "url", and not both',
      '/etc/m.yaml:servers.c: must be a group of keys',
      '/etc/m.yaml:settings.prot: unknown key, did you mean "port"?',
      '/etc/m.yaml:settings.host: must be an IP address',
      '/etc/m.yaml:namespace: unknown key, did you mean "namespaces"?',
      'flag --port: ',
      'environment META_MCP_PORTS: unknown setting, did you mean META_MCP_PORT?',
    ])
      expect(problems).toContainEqual(expect.stringContaining(start))
  })

  test.each([
    ['servers: { a: { url: "ftp://h" } }', 'servers.a.url: must be an http'],
    ['servers: { a: { url: "http://h", args: [x] } }', '"args", "env" and "cwd" belong to a server with "command"'],
    ['servers: { a: { command: x, headers: {} } }', '"headers" and "transport" belong to a server with "url"'],
    ['servers: { a: { command: x, type: sse } }', '"type" contradicts'],
    ['servers: { a: { command: x } }\nmcpServers: { a: { command: x } }', 'name the same server'],
    ['namespaces: { "a b": {} }', 'namespaces["a b"]: stands in an address'],
    ['guards: [{ tools: [x] }]', 'guards[0]: does nothing'],
    ['guards: [{ tools: [x], redact: { pattern: "(", replacement: "" } }]', 'guards[0].redact.pattern: is no regular'],
    ['discovery: [{ kind: moon }]', 'discovery[0].kind: must be file, registry or network'],
    ['tools: { a: { endpoint: "http://h", inputSchema: { type: string } } }', 'must have "type: object"'],
    ['servers: [a]', 'servers: must be a group of keys'],
    ['a: 1\na: 2', 'is not valid YAML or JSON at line 2'],
    ['{"servers": ', 'is not valid YAML or JSON at line 1'],
    ['- a', 'must hold keys'],
    ['servers: { a: *b }', 'anchor'],
  ])('%s is refused', (text, sentence) => {
    expect(problemsOf(() => loadText(text)).join('\n')).toContain(sentence)
  })

  test.each(['', '# nothing yet', 'servers:\nnamespaces:', '{\n\t"mcpServers": {\n\t}\n}'])(
    '%j is a file without servers',
    (text) => {
      expect(loadText(text).dynamic.servers).toEqual([])
    },
  )

  test('a file that does not exist is named', () => {
    expect(problemsOf(() => load({ flags: { config: '/nope.yaml' } }))).toEqual([
      '/nope.yaml: cannot be read: it does not exist',
    ])
  })
})

describe('search providers', () => {
  const EMBEDDINGS = {
    META_MCP_SEARCH_EMBEDDINGS_URL: 'http://localhost:11434/v1',
    META_MCP_SEARCH_EMBEDDINGS_MODEL: 'bge-m3',
  }
  const KEY = 'sk-0123-very-secret'

  test('without them nobody is asked', () => {
    expect(load({}).search).toEqual({ embedder: 'minilm', learning: true })
  })

  test('they are read from file and environment, and their keys never show', () => {
    const file = 'settings: { search_rerank_url: "http://10.0.0.7:8080", search_rerank_key: "${RERANK_KEY}" }'
    const env = { ...EMBEDDINGS, META_MCP_SEARCH_EMBEDDINGS_KEY: KEY, RERANK_KEY: `${KEY}-2` }
    const config = loadText(file, { env })
    expect(config.search).toMatchObject({
      embeddings: { url: 'http://localhost:11434/v1', model: 'bge-m3' },
      rerank: { url: 'http://10.0.0.7:8080/' },
    })
    expect(config.search.embeddings?.key?.reveal()).toBe(KEY)
    expect(config.search.rerank?.key?.reveal()).toBe(`${KEY}-2`)
    expect(config.search.rerank?.model).toBeUndefined()
    expect(`${JSON.stringify(config)} ${inspect(config, { depth: 9 })}`).not.toContain(KEY)
  })

  test.each([
    ['EMBEDDINGS_URL', 'ftp://h/v1', 'must be an http or https address'],
    ['EMBEDDINGS_URL', 'localhost:11434', 'must be an http or https address'],
    ['RERANK_URL', 'file:///etc/passwd', 'must be an http or https address'],
    ['RERANK_URL', `https://u:${KEY}@h/`, 'must not hold a user name or password'],
    ['EMBEDDINGS_MODEL', 'a\nb', 'must be the name of a model'],
    ['RERANK_KEY', `${KEY} x`, 'must be a key of visible ASCII characters'],
  ])('META_MCP_SEARCH_%s=%s is refused, and no key is repeated', (name, value, reason) => {
    const env = { ...EMBEDDINGS, META_MCP_SEARCH_RERANK_URL: 'http://h', [`META_MCP_SEARCH_${name}`]: value }
    const problems = problemsOf(() => load({ env }))
    expect(problems).toEqual([expect.stringContaining(`environment META_MCP_SEARCH_${name}: ${reason}`)])
    expect(problems.join()).not.toContain(KEY)
  })

  test.each([
    ['EMBEDDINGS_URL', 'http://h', 'EMBEDDINGS_MODEL'],
    ['EMBEDDINGS_MODEL', 'm', 'EMBEDDINGS_URL'],
    ['EMBEDDINGS_KEY', 'k', 'EMBEDDINGS_URL'],
    ['RERANK_MODEL', 'm', 'RERANK_URL'],
    ['RERANK_KEY', 'k', 'RERANK_URL'],
  ])('%s alone means nothing, and says what is missing', (name, value, missing) => {
    expect(problemsOf(() => load({ env: { [`META_MCP_SEARCH_${name}`]: value } }))).toEqual([
      `environment META_MCP_SEARCH_${name}: needs META_MCP_SEARCH_${missing} beside it`,
    ])
  })
})
