import { legacyPost, type BadCase } from './bad-case.ts'

const PING = '{"jsonrpc":"2.0","id":7,"method":"ping"}'
const call = (args: string) =>
  `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":${args}}}`
const deep = (depth: number, open: string, close: string) => `${open.repeat(depth)}0${close.repeat(depth)}`

/** What `JSON.parse` must not take, after the n_ rows of JSONTestSuite. */
const NO_JSON: readonly (string | Buffer)[] = [
  '',
  ' ',
  '\n\n',
  '{',
  '}',
  '[',
  ']',
  '{]',
  '[}',
  '"',
  '"abc',
  "{'a':1}",
  '{a:1}',
  '{"a" 1}',
  '{"a"::1}',
  '{"a":1,}',
  '{,"a":1}',
  '{"a":1,,"b":2}',
  '{"a":1}}',
  '{"a":1}{"b":2}',
  `${PING}\n${PING}`,
  '{"a":1} x',
  '[1,]',
  '[,1]',
  '[1,,2]',
  '[1 2]',
  '{"a":}',
  '{:1}',
  '{1:1}',
  '{"a":undefined}',
  '{"a":NaN}',
  '{"a":Infinity}',
  '{"a":-Infinity}',
  '{"a":+1}',
  '{"a":01}',
  '{"a":1.}',
  '{"a":.5}',
  '{"a":1e}',
  '{"a":1e+}',
  '{"a":0x10}',
  '{"a":1_000}',
  '{"a":-}',
  '{"a":tru}',
  '{"a":TRUE}',
  '{"a":nul}',
  '{"a":"\t"}',
  '{"a":"\n"}',
  '{"a":"\0"}',
  '{"a":"\\x"}',
  '{"a":"\\u12"}',
  '{"a":"\\uZZZZ"}',
  '{"a":"\\"}',
  '/* comment */{"a":1}',
  '{"a":1// comment\n}',
  '\u00a0{"a":1}',
  '{\u2028"a":1}',
  '<?xml version="1.0"?><a/>',
  'jsonrpc=2.0&method=ping',
  'null,',
  '\ufeff\ufeff{}',
  '['.repeat(50_000),
  '{"a":'.repeat(20_000),
]

const NO_UTF8: readonly Buffer[] = [
  Buffer.from([0xff]),
  Buffer.from([0x22, 0x80, 0x22]),
  Buffer.from([0x22, 0xc0, 0xaf, 0x22]),
  Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
  Buffer.from([0x22, 0xf5, 0x80, 0x80, 0x80, 0x22]),
  Buffer.from([0x22, 0xe2, 0x82, 0x22]),
  Buffer.from(PING, 'utf16le'),
  Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(PING, 'utf16le')]),
  Buffer.concat([Buffer.from('{"jsonrpc":"2.0","id":7,"method":"'), Buffer.from([0xfe]), Buffer.from('"}')]),
]

const TWICE: readonly string[] = [
  '{"jsonrpc":"2.0","jsonrpc":"2.0","id":7,"method":"ping"}',
  '{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}',
  '{"jsonrpc":"2.0","id":7,"method":"ping","method":"tools/list"}',
  '{"jsonrpc":"2.0","id":7,"method":"ping","m\\u0065thod":"tools/list"}',
  '{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{},"params":{}}',
  '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","name":"add"}}',
  '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","\\u006eame":"add"}}',
  '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"n\\u0061\\u006de":"echo","name":"add"}}',
  call('{"message":"a","message":"b"}'),
  call('{"message":"a","\\u006dessage":"b"}'),
  call('{"a":{"b":[{"c":1,"c":2}]}}'),
  call('{"\\ud83d\\ude00":1,"😀":2}'),
  call('{"__proto__":1,"__proto__":2}'),
  call('{"":1,"":2}'),
  '[{"a":1,"a":2}]',
]

const TOO_DEEP: readonly string[] = [
  call(`{"message":${deep(200, '[', ']')}}`),
  call(`{"message":${deep(200, '{"a":', '}')}}`),
  call(deep(100_000, '{"a":', '}')),
  deep(100_000, '[', ']'),
  `{"jsonrpc":"2.0","id":7,"method":"ping","params":${deep(128, '{"a":', '}')}}`,
]

/** What stands in for a member. */
const WRONG = ['null', 'true', 'false', '0.5', '[]', '{}', '1e400'] as const
const shorten = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}… (${text.length})` : text)
const shown = (body: string | Buffer) => shorten(JSON.stringify(typeof body === 'string' ? body : body.toString('hex')))

export const JSON_CASES: readonly BadCase[] = [
  ...NO_JSON.map((body) => ({ what: `no JSON: ${shown(body)}`, bytes: legacyPost(body), status: 400, code: -32700 })),
  ...NO_UTF8.map((body) => ({ what: `no UTF-8: ${shown(body)}`, bytes: legacyPost(body), status: 400, code: -32700 })),
  ...TWICE.map((body) => ({ what: `a key twice: ${body}`, bytes: legacyPost(body), status: 400, code: -32600 })),
  ...TOO_DEEP.map((body) => ({ what: `too deep: ${shown(body)}`, bytes: legacyPost(body), status: 400, code: -32600 })),
]

const envelope = (members: Readonly<Record<string, string | undefined>>): string => {
  const all = { jsonrpc: '"2.0"', id: '7', method: '"ping"', ...members }
  const texts = Object.entries(all).flatMap(([key, text]) => (text === undefined ? [] : [`"${key}":${text}`]))
  return `{${texts.join(',')}}`
}
const refused = (what: string, body: string, id: BadCase['id'] = null): BadCase => {
  return { what: `${what}: ${shorten(body)}`, bytes: legacyPost(body), status: 400, code: -32600, id }
}

/** JSON that is no JSON-RPC message of this version. */
export const ENVELOPE_CASES: readonly BadCase[] = [
  ...['null', 'true', '0', '-1', '"ping"', '""', '[]', '{}', '[[]]', '[null]', '[1,2]'].map((body) =>
    refused('no message', body),
  ),
  ...[...WRONG, '2', '"1.0"', '"2"', '"2.0 "', '"2.00"', undefined].map((jsonrpc) =>
    refused('jsonrpc', envelope({ jsonrpc }), 7),
  ),
  ...WRONG.map((id) => refused('id', envelope({ id }))),
  ...[...WRONG, '5'].map((method) => refused('method', envelope({ method }), 7)),
  refused('no method, no result', envelope({ method: undefined })),
  ...WRONG.filter((params) => params !== '{}').map((params) => refused('params', envelope({ params }), 7)),
  ...['5', '"x"', '""', '[1]'].map((params) => refused('params', envelope({ params }), 7)),
  ...['"x"', '5', 'null', '[]', 'true'].map((result) => refused('result', envelope({ method: undefined, result }))),
  ...['"x"', '5', 'null', '[]', '{}', '{"code":"1"}', '{"message":"no code"}'].map((error) =>
    refused('error', envelope({ method: undefined, error })),
  ),
  refused('result and error', envelope({ method: undefined, result: '{}', error: '{"code":1,"message":""}' })),
  ...[`[${PING}]`, `[${PING},${PING}]`, `[${PING},1]`].map((body) => refused('a batch in 2025-11-25', body)),
]
