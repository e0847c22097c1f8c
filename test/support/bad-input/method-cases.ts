import {
  CLAIMS,
  JSON_HEADERS,
  legacyPost,
  legacyRequest,
  modernPost,
  type BadCase,
  type ModernParts,
} from './bad-case.ts'
import { httpText } from '../raw-socket.ts'

const INVALID_PARAMS = -32602
const HEADER_MISMATCH = -32020
const METHODS = [
  '',
  ' ',
  'ping ',
  'PING',
  'tools',
  'tools/',
  'tools/call/x',
  'tools.call',
  'rpc.discover',
  'toString',
  'constructor',
  'hasOwnProperty',
  'valueOf',
  '__proto__',
  '__defineGetter__',
  'notifications/initialized',
  'sampling/createMessage',
  'roots/list',
  'x'.repeat(10_000),
  'a\0b',
  'a\r\nb',
  '\ud800',
  '../../etc/passwd',
]
const VALUES = [null, 5, 0.5, true, [], {}, ['x'], [[]]]
const shown = (value: unknown) => (JSON.stringify(value) ?? 'absent').slice(0, 70)

/** Params whose member must be a string that names something. */
const NAMED = [
  ['tools/call', (name: unknown) => ({ name })],
  ['prompts/get', (name: unknown) => ({ name })],
  ['resources/read', (uri: unknown) => ({ uri })],
  ['resources/subscribe', (uri: unknown) => ({ uri })],
  ['resources/unsubscribe', (uri: unknown) => ({ uri })],
  ['logging/setLevel', (level: unknown) => ({ level })],
  ['completion/complete', (ref: unknown) => ({ ref, argument: { name: 'a', value: '' } })],
  ['completion/complete', (uri: unknown) => ({ ref: { type: 'ref/resource', uri } })],
  ['completion/complete', (name: unknown) => ({ ref: { type: 'ref/prompt', name } })],
] as const
const UNKNOWN: readonly (readonly [string, unknown, number])[] = [
  ['tools/call', { name: '' }, INVALID_PARAMS],
  ['tools/call', { name: 'no_such_tool' }, INVALID_PARAMS],
  ['tools/call', { name: 'constructor' }, INVALID_PARAMS],
  ['tools/call', { name: '__proto__' }, INVALID_PARAMS],
  ['tools/call', { name: 'ECHO' }, INVALID_PARAMS],
  ['tools/call', { name: 'echo ' }, INVALID_PARAMS],
  ['tools/call', { name: 'echo\0' }, INVALID_PARAMS],
  ['tools/call', { name: '\udfff' }, INVALID_PARAMS],
  ['tools/call', { name: 'e'.repeat(30_000) }, INVALID_PARAMS],
  ['tools/call', {}, INVALID_PARAMS],
  ['prompts/get', { name: 'no_such_prompt' }, INVALID_PARAMS],
  ['prompts/get', { name: 'toString' }, INVALID_PARAMS],
  ['resources/unsubscribe', {}, INVALID_PARAMS],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'no_such_prompt' } }, INVALID_PARAMS],
  ['completion/complete', { ref: { type: 'ref/tool', name: 'echo' } }, INVALID_PARAMS],
  ['logging/setLevel', { level: 'loud' }, INVALID_PARAMS],
  ['logging/setLevel', { level: 'toString' }, INVALID_PARAMS],
]
const CURSORS = [null, 5, {}, [], true, '', 'x', 'AAAA', '__proto__', 'ä', '\ud800', 'x'.repeat(30_000)]
const LISTS = ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list']

/** Requests of an open legacy session that ask for what is not there: refused inside of HTTP 200. */
export const LEGACY_CASES: readonly BadCase[] = [
  ...METHODS.map((method) => ({
    what: `unknown method ${shown(method)}`,
    bytes: legacyRequest(method, {}),
    status: 200,
    code: -32601,
    id: 7,
  })),
  ...NAMED.flatMap(([method, params]) =>
    [...VALUES, undefined].map((value) => ({
      what: `${method} of ${shown(value)}`,
      bytes: legacyRequest(method, params(value)),
      status: 200,
      code: INVALID_PARAMS,
      id: 7,
    })),
  ),
  ...UNKNOWN.map(([method, params, code]) => ({
    what: `${method} ${shown(params)}`,
    bytes: legacyRequest(method, params),
    status: 200,
    code,
    id: 7,
  })),
  ...LISTS.flatMap((method) => CURSORS.map((cursor) => cursorCase(method, cursor))),
]

function cursorCase(method: string, cursor: unknown): BadCase {
  const bytes = legacyRequest(method, { cursor })
  return { what: `${method} with cursor ${shown(cursor)}`, bytes, status: 200, code: INVALID_PARAMS, id: 7 }
}

const modern = (what: string, code: number, parts: ModernParts, status = 400): BadCase => {
  return { what, bytes: () => modernPost(parts), status, code, id: 7 }
}
const ECHO: ModernParts = { method: 'tools/call', params: { name: 'echo', arguments: { message: 'x' } } }
const REGION: ModernParts = {
  method: 'tools/call',
  params: { name: 'test_x_mcp_header', arguments: { region: 'us-west1' } },
}

/** Requests of modern clients: claims, headers that mirror the body, methods, targets. */
export const MODERN_CASES: readonly BadCase[] = [
  ...[null, 5, true, [], {}, undefined].map((value) =>
    modern(`claimed version ${shown(value)}`, INVALID_PARAMS, { meta: { [CLAIMS.version]: value } }),
  ),
  ...[null, 5, true, [], 'x', undefined].map((value) =>
    modern(`claimed capabilities ${shown(value)}`, INVALID_PARAMS, { meta: { [CLAIMS.capabilities]: value } }),
  ),
  ...['', 'loud', 5, null, 'toString'].map((value) =>
    modern(`claimed log level ${shown(value)}`, INVALID_PARAMS, { meta: { [CLAIMS.logLevel]: value } }),
  ),
  ...[null, 5, 'x', [], {}].map((_meta) => modern(`_meta ${shown(_meta)}`, INVALID_PARAMS, { params: { _meta } })),
  ...['2099-01-01', '2025-11-25', '1', 'x'].map((version) =>
    modern(`version ${version}`, -32022, {
      meta: { [CLAIMS.version]: version },
      headers: { 'mcp-protocol-version': version },
    }),
  ),
  modern('initialize with a claim', -32601, { method: 'initialize' }, 404),
  modern('ping with a claim', -32601, { method: 'ping' }, 404),
  ...METHODS.filter((method) => /^[\x21-\x7e]{1,100}$/.test(method)).map((method) =>
    modern(`unknown method ${shown(method)}`, -32601, { method }, 404),
  ),
  modern('no version header', HEADER_MISMATCH, { headers: { 'mcp-protocol-version': undefined } }),
  modern('another version header', HEADER_MISMATCH, { headers: { 'mcp-protocol-version': '2025-11-25' } }),
  modern('two version headers', HEADER_MISMATCH, { headers: { 'mcp-protocol-version': '2026-07-28, 2026-07-28' } }),
  modern('no method header', HEADER_MISMATCH, { headers: { 'mcp-method': undefined } }),
  modern('another method header', HEADER_MISMATCH, { headers: { 'mcp-method': 'prompts/list' } }),
  modern('a method header in capitals', HEADER_MISMATCH, { headers: { 'mcp-method': 'Tools/List' } }),
  modern('an empty method header', HEADER_MISMATCH, { headers: { 'mcp-method': '' } }),
  modern('a wrapped method header', HEADER_MISMATCH, { headers: { 'mcp-method': '=?base64?dG9vbHMvbGlzdA==?=' } }),
  ...[undefined, '', 'add', 'Echo', 'echo, echo', 'echo;', '"echo"', '=?base64?ZWNobw=?=', '=?base64?ZWNobw?=']
    .concat(['=?base64?ZWNo bw==?=', '=?base64?%%%%?=', '=?base64?ZWNobw==', '=?BASE64?ZWNobw==?=', '=?base64??='])
    .map((name) => modern(`name header ${shown(name)}`, HEADER_MISMATCH, { ...ECHO, headers: { 'mcp-name': name } })),
  ...['prompts/get', 'resources/read'].map((method) =>
    modern(`${method} without a name header`, HEADER_MISMATCH, {
      method,
      params: { name: 'x', uri: 'test://x' },
      headers: { 'mcp-name': undefined },
    }),
  ),
  ...[undefined, '', 'us-east1', 'US-WEST1', '=?base64?dXMtd2VzdDE?=', '=?base64?dXMtZWFzdDE=?='].map((region) =>
    modern(`param header ${shown(region)}`, HEADER_MISMATCH, { ...REGION, headers: { 'mcp-param-region': region } }),
  ),
  modern('a param header without its argument', HEADER_MISMATCH, {
    method: 'tools/call',
    params: { name: 'test_x_mcp_header', arguments: {} },
    headers: { 'mcp-param-region': 'us-west1' },
  }),
  modern('an unknown tool', INVALID_PARAMS, { method: 'tools/call', params: { name: 'no_such_tool' } }, 200),
  modern('a tool named by a number', INVALID_PARAMS, { method: 'tools/call', params: { name: 5 } }, 200),
  modern('an unknown prompt', INVALID_PARAMS, { method: 'prompts/get', params: { name: 'nothing' } }, 200),
  ...LISTS.flatMap((method) =>
    CURSORS.map((cursor) => modern(`${method} ${shown(cursor)}`, INVALID_PARAMS, { method, params: { cursor } }, 200)),
  ),
  ...[null, 5, {}, '', 'x', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'].map((requestState) =>
    modern(
      `requestState ${shown(requestState)}`,
      INVALID_PARAMS,
      { ...ECHO, params: { ...ECHO.params, requestState } },
      200,
    ),
  ),
  ...[null, 5, 'x', [], undefined].map((notifications) =>
    modern(
      `listen to ${shown(notifications)}`,
      INVALID_PARAMS,
      { method: 'subscriptions/listen', params: { notifications } },
      200,
    ),
  ),
  ...['[]', '"x"', '5', 'null', 'true'].map((params) => ({
    what: `modern params ${params}`,
    bytes: () => modernText(`{"jsonrpc":"2.0","id":7,"method":"tools/list","params":${params}}`),
    status: 400,
    code: -32600,
    id: 7,
  })),
  {
    what: 'a modern header and no claim',
    bytes: () => modernText('{"jsonrpc":"2.0","id":7,"method":"tools/list"}'),
    status: 400,
    code: INVALID_PARAMS,
    id: 7,
  },
  {
    what: 'an unknown namespace',
    bytes: ({ session }) =>
      legacyPost(
        '{"jsonrpc":"2.0","id":7,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}',
        {},
        '/mcp/no',
      )({ session }),
    status: 404,
    code: -31404,
    id: 7,
  },
]

function modernText(body: string): Buffer {
  const headers = { ...JSON_HEADERS, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' }
  return httpText('POST', '/mcp', headers, body)
}
