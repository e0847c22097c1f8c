import { httpText, type RawOptions } from '../raw-socket.ts'
import { JSON_HEADERS, legacyPost, MODERN, type BadCase, type Site } from './bad-case.ts'

/** A request that is wrong as HTTP, or at the wrong place. */
export interface HttpCase extends Pick<BadCase, 'what' | 'status'> {
  bytes(site: Site): Buffer | string | Iterable<Buffer | string>
  /** The JSON-RPC code, the code of a REST body, or undefined where the answer has no body. */
  readonly code?: number | string
  /** Whether the gateway must close afterwards. */
  readonly closes?: boolean
  readonly options?: RawOptions
}

const PING = '{"jsonrpc":"2.0","id":7,"method":"ping"}'
/** More than the gateways of these tests accept. */
const LARGE = Buffer.alloc(4_000_000, 0x78)
const at =
  (method: string, path: string, headers: Readonly<Record<string, string | undefined>> = {}, body?: string | Buffer) =>
  ({ session }: Site) =>
    httpText(method, path, { ...JSON_HEADERS, 'mcp-session-id': session, ...headers }, body)
const raw = (text: string) => () => text

const TYPES = [undefined, '', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']
  .concat(['application/jsonx', 'application/json-patch+json', 'application/vnd.api+json', 'text/json', 'json'])
  .concat(['application /json', 'application/json, text/plain', 'xapplication/json', '*/*'])
const PATHS = ['/mcp', '/mcp/dev', '/api/v1/tools']
const codeAt = (path: string, rpc: number, rest: string) => (path.startsWith('/mcp') ? rpc : rest)

const CONTENT_TYPES: readonly HttpCase[] = PATHS.flatMap((path) =>
  TYPES.map((type) => ({
    what: `${path} with content type ${type ?? 'missing'}`,
    bytes: at('POST', path, { 'content-type': type }, PING),
    status: 415,
    code: codeAt(path, -31415, 'unsupported_media_type'),
  })),
)
const ENCODINGS: readonly HttpCase[] = PATHS.flatMap((path) =>
  ['gzip', 'deflate', 'br', 'zstd', 'gzip, gzip', 'x'].map((encoding) => ({
    what: `${path} compressed by ${encoding}`,
    bytes: at('POST', path, { 'content-encoding': encoding }, PING),
    status: 415,
    code: codeAt(path, -31415, 'unsupported_media_type'),
  })),
)
const ACCEPTS: readonly HttpCase[] = [
  ...['text/html', 'image/*', 'application/xml', 'x', 'text/plain, text/html'].map((accept) => ({
    what: `POST that accepts ${accept}`,
    bytes: at('POST', '/mcp', { accept }, PING),
    status: 406,
    code: -31406,
  })),
  ...[undefined, 'application/json', 'text/html', '*'].map((accept) => ({
    what: `GET that accepts ${accept ?? 'nothing'}`,
    bytes: at('GET', '/mcp', { accept }),
    status: 406,
    code: -31406,
  })),
]
const SESSIONS: readonly HttpCase[] = ['x', '0', 'null', 'AAAA'.repeat(30), '../x', 'x'.repeat(8000), '=?base64?eA==?=']
  .flatMap((id) => ['POST', 'GET', 'DELETE'].map((method) => [method, id] as const))
  .map(([method, id]) => ({
    what: `${method} of session ${id.slice(0, 20)}`,
    bytes: at(
      method,
      '/mcp',
      { 'mcp-session-id': id, accept: 'application/json, text/event-stream' },
      method === 'POST' ? PING : undefined,
    ),
    status: 404,
    code: -31440,
  }))
const NO_SESSION: readonly HttpCase[] = [
  ...['POST', 'GET', 'DELETE'].map((method) => ({
    what: `${method} without a session`,
    bytes: at(method, '/mcp', { 'mcp-session-id': undefined }, method === 'POST' ? PING : undefined),
    status: 400,
    code: -32600,
  })),
  ...['2024-01-01', 'x', '', '2025-11-25, 2025-11-25', '2099-01-01'].map((version) => ({
    what: `protocol version header ${version}`,
    bytes: at('POST', '/mcp', { 'mcp-protocol-version': version }, PING),
    status: 400,
    code: -32600,
  })),
  ...['GET', 'DELETE'].map((method) => ({
    what: `${method} of a modern client`,
    bytes: at(method, '/mcp', { 'mcp-protocol-version': MODERN }),
    status: 405,
    code: -31405,
  })),
  {
    what: 'the session of another endpoint',
    bytes: legacyPost(PING, {}, '/mcp/dev'),
    status: 404,
    code: -31440,
  },
  ...['', '?sessionId=', '?sessionId=x', '?sessionId=%00', '?sessionId[]=x', '?sessionId=%ff', '?x'].map((query) => ({
    what: `POST /messages${query}`,
    bytes: at('POST', `/messages${query}`, {}, PING),
    status: 404,
    code: -31440,
  })),
]
const METHODS: readonly HttpCase[] = [
  ...['PUT', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'MKCOL', 'LINK', 'QUERY'].flatMap((method) =>
    ['/mcp', '/mcp/dev', '/sse', '/messages', '/api/v1/tools', '/api/v1/health'].map((path) => ({
      what: `${method} ${path}`,
      bytes: at(method, path),
      status: 405,
      code: path.startsWith('/api') ? 'method_not_allowed' : -31405,
    })),
  ),
  { what: 'POST /sse', bytes: at('POST', '/sse', {}, PING), status: 405, code: -31405 },
  { what: 'GET /messages', bytes: at('GET', '/messages'), status: 405, code: -31405 },
  ...['/mcp', '/sse', '/messages'].map((path) => ({
    what: `HEAD ${path}`,
    bytes: at('HEAD', path),
    status: 405,
    options: { method: 'HEAD' },
  })),
  ...['evil.example:443', '/mcp', '127.0.0.1:22'].map((target) => ({
    what: `CONNECT ${target}`,
    bytes: raw(`CONNECT ${target} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`),
    status: 405,
    code: 'method_not_allowed',
    closes: true,
  })),
  ...['get', 'G\0T', 'GET/', '(', 'ゲット', 'X'.repeat(5000)].map((method) => ({
    what: `the method ${method.slice(0, 10)}`,
    bytes: raw(`${method} /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`),
    status: 400,
    code: 'invalid_request',
    closes: true,
  })),
]
const ADDRESSES: readonly HttpCase[] = [
  ...['//mcp', '/./mcp', '/mcp/../mcp', '/mcp//', '/mcp/a/b', '/MCP', '/mcp;x', '/%6dcp', '/mcp%2f', '/mcp\\', '/sse/']
    .concat(['/messages/', '/mcp.json', '/api', '/api/v1', '/api/v2/tools', '/api/v1/nothing', '/API/V1/TOOLS'])
    .concat([
      '/..%2f..%2fetc/passwd',
      '/docs/static/../../../etc/passwd',
      '/docs/static/%2e%2e%2fpackage.json',
      '/.env',
    ])
    .concat(['http://evil.example/mcp', 'http://127.0.0.1/mcp', `/${'a/'.repeat(2000)}`, '/metric', '/__proto__'])
    .map((path) => ({ what: `GET ${path.slice(0, 40)}`, bytes: at('GET', path), status: 404, code: 'not_found' })),
  ...[
    '/api/v1/tools/%',
    '/api/v1/tools/%zz',
    '/api/v1/tools/%ff',
    '/api/v1/tools/%c0%af',
    '/%e0%a4',
    '/api/v1/%u0041',
  ].map((path) => ({ what: `GET ${path}`, bytes: at('GET', path), status: 400, code: 'invalid_request' })),
  ...['/mcp/%ff', '/mcp/%00', '/mcp/%zz', '/mcp/__proto__', '/mcp/no%2Fsuch', `/mcp/${'x'.repeat(5000)}`].map(
    (path) => ({
      what: `POST ${path.slice(0, 40)}`,
      bytes: at(
        'POST',
        path,
        {},
        '{"jsonrpc":"2.0","id":7,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}',
      ),
      status: 404,
      code: -31404,
    }),
  ),
  ...['/mcp x', '/m\0cp', 'mcp', '\x7f', '/mcp\t'].map((target) => ({
    what: `the target ${JSON.stringify(target)}`,
    bytes: raw(`GET ${target} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`),
    status: 400,
    code: 'invalid_request',
    closes: true,
  })),
]

function* endless(head: Buffer): Generator<Buffer | string> {
  yield head
  for (let sent = 0; sent < 2000; sent += 1) yield `4000\r\n${'x'.repeat(0x4000)}\r\n`
}
const chunked = { 'transfer-encoding': 'chunked' }
const SIZES: readonly HttpCase[] = ['/mcp', '/api/v1/tools'].flatMap((path) => {
  const code = codeAt(path, -31413, 'payload_too_large')
  return [
    { what: `${path} too long by its length`, bytes: at('POST', path, {}, LARGE), status: 413, code, closes: true },
    {
      what: `${path} that only says it is too long`,
      bytes: at('POST', path, { 'content-length': '99999999' }),
      status: 413,
      code,
      closes: true,
    },
    {
      what: `${path} too long and asking first`,
      bytes: at('POST', path, { 'content-length': '99999999', expect: '100-continue' }),
      status: 413,
      code,
      closes: true,
    },
    {
      what: `${path} in chunks without end`,
      bytes: (site: Site) => endless(at('POST', path, chunked)(site)),
      status: 413,
      code,
      closes: true,
    },
    {
      what: `${path} in chunks without end and of no type`,
      bytes: (site: Site) => endless(at('POST', path, { ...chunked, 'content-type': 'text/plain' })(site)),
      status: 415,
      code: codeAt(path, -31415, 'unsupported_media_type'),
      closes: true,
    },
  ]
})

const broken = (what: string, text: string, options: RawOptions = {}): HttpCase => {
  return { what, bytes: raw(text), status: 400, code: 'invalid_request', closes: true, options }
}
const HEAD = 'POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n'
const flood = Array.from({ length: 4000 }, (_, index) => `x-${index}: 1\r\n`).join('')
const BROKEN: readonly HttpCase[] = [
  broken('no HTTP at all', 'GARBAGE\r\n\r\n'),
  broken('TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
  broken('HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  broken('HTTP/9.9', 'GET /mcp HTTP/9.9\r\nhost: 127.0.0.1\r\n\r\n'),
  broken('a header without a colon', `${HEAD}nonsense\r\n\r\n`),
  broken('a header name with a blank', `${HEAD}x y: 1\r\n\r\n`),
  broken('a header name without letters', `${HEAD}: 1\r\n\r\n`),
  broken('a header value with NUL', `${HEAD}x: a\0b\r\n\r\n`),
  broken('a bare line feed', `${HEAD}x: 1\n\r\n\r\n`.replace('1\n', '1\rx\n')),
  broken('length and chunks at once', `${HEAD}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
  broken('two lengths', `${HEAD}content-length: 5\r\ncontent-length: 6\r\n\r\n12345`),
  broken('a negative length', `${HEAD}content-length: -5\r\n\r\n`),
  broken('a length in hexadecimal', `${HEAD}content-length: 0x10\r\n\r\n`),
  broken('a length without end', `${HEAD}content-length: 99999999999999999999999\r\n\r\n`),
  broken('an unknown transfer encoding', `${HEAD}transfer-encoding: chunked, x\r\n\r\n0\r\n\r\n`),
  broken('a chunk of no size', `${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n`),
  broken('a chunk of negative size', `${HEAD}transfer-encoding: chunked\r\n\r\n-1\r\n`),
  broken('a chunk longer than its size', `${HEAD}transfer-encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n`),
  broken('a head that ends early', 'POST /mcp HT', { finish: true }),
  broken('headers that end early', HEAD, { finish: true }),
  broken('a body that ends early', `${HEAD}content-length: 50\r\n\r\n{"json`, { finish: true }),
  broken('chunks that end early', `${HEAD}transfer-encoding: chunked\r\n\r\n5\r\nab`, { finish: true }),
  broken('a body for REST that ends early', `${HEAD.replace('/mcp', '/api/v1/tools')}content-length: 50\r\n\r\n{`, {
    finish: true,
  }),
  { what: 'no Host', bytes: raw('GET /mcp HTTP/1.1\r\n\r\n'), status: 400, closes: true },
  { what: 'no Host in 1.0', bytes: raw('GET /mcp HTTP/1.0\r\n\r\n'), status: 403, code: -31403, closes: true },
  ...[
    `${HEAD}x: ${'y'.repeat(100_000)}\r\n\r\n`,
    `${HEAD}${flood}\r\n`,
    `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n`,
  ].map((text, index) => ({
    what: `a flood of headers (${index + 1})`,
    bytes: raw(text),
    status: 431,
    code: 'headers_too_large',
    closes: true,
  })),
  {
    what: 'an expectation of miracles',
    bytes: at('POST', '/mcp', { expect: 'miracles' }, PING),
    status: 417,
  },
]

export const HTTP_CASES: readonly HttpCase[] = [
  ...CONTENT_TYPES,
  ...ENCODINGS,
  ...ACCEPTS,
  ...SESSIONS,
  ...NO_SESSION,
  ...METHODS,
  ...ADDRESSES,
  ...SIZES,
  ...BROKEN,
]
