import { describe, expect, it } from 'vitest'
import { openPlainStage } from '../../test/support/plain-stage.ts'
import { httpText, rawExchange } from '../../test/support/raw-socket.ts'
import { readPlainHead } from './plain-head.ts'

const POST = httpText('POST', '/mcp', { 'content-type': 'application/json', accept: '*/*' }, '{"a":"é"}')
const text = POST.toString('latin1')
const lines = (...more: string[]): string => text.replace('\r\n\r\n', `\r\n${more.join('\r\n')}\r\n\r\n`)

/** What two parsers could read differently, and what is nearly plain. */
const ODD: Readonly<Record<string, string>> = {
  'two lengths': lines('Content-Length: 3'),
  'the same length twice': lines('Content-Length: 10'),
  'a length and chunks': lines('Transfer-Encoding: chunked'),
  'chunks with a space before the colon': lines('Transfer-Encoding : chunked'),
  'chunks after a tab': lines('Transfer-Encoding:\tchunked'),
  'chunks in a folded line': lines('X: y', ' Transfer-Encoding: chunked'),
  'chunks in a folded value': lines('Transfer-Encoding:', ' chunked'),
  'chunks after a vertical tab': lines('Transfer-Encoding:\x0bchunked'),
  'chunks after a null': lines('X: \0', 'Transfer-Encoding: chunked'),
  'chunks after a bare line feed': lines('X: y\nTransfer-Encoding: chunked'),
  'chunks after a bare return': lines('X: y\rTransfer-Encoding: chunked'),
  'a negative length': text.replace('length: 10', 'length: -10'),
  'a signed length': text.replace('length: 10', 'length: +10'),
  'a length in hexadecimal': text.replace('length: 10', 'length: 0xa'),
  'a length with an underscore': text.replace('length: 10', 'length: 1_0'),
  'a list of lengths': text.replace('length: 10', 'length: 10, 10'),
  'a length with leading zeros': text.replace('length: 10', 'length: 0010'),
  'an empty length': text.replace('length: 10', 'length:'),
  'no length': text.replace(/content-length: 10\r\n/i, ''),
  'length nothing': text.replace('length: 10', 'length: 0').replace('{"a":"Ã©"}', ''),
  'no host': text.replace(/host: .*\r\n/i, ''),
  'two hosts': lines('Host: other'),
  'an empty host': text.replace(/host: .*\r\n/i, 'Host:\r\n'),
  'a header twice': lines('X-A: 1', 'X-a: 2'),
  'cookies twice': lines('Cookie: a=1', 'Cookie: b=2'),
  'set-cookie': lines('Set-Cookie: a=1'),
  'a header of the prototype': lines('__proto__: x', 'constructor: y'),
  'letters beyond ASCII': lines('X-A: caf\xe9'),
  'spaces around a value': lines('X-A: \t  a b \t '),
  'an empty value': lines('X-A:', 'X-B: '),
  'connection: close': lines('Connection: close'),
  'connection: Keep-Alive': lines('Connection: Keep-Alive'),
  'an upgrade': lines('Connection: Upgrade', 'Upgrade: websocket'),
  'an expectation': lines('Expect: 100-continue'),
  'another expectation': lines('Expect: miracles'),
  'HTTP/1.0': text.replace('HTTP/1.1', 'HTTP/1.0'),
  'HTTP/1.2': text.replace('HTTP/1.1', 'HTTP/1.2'),
  'HTTP/2.0': text.replace('HTTP/1.1', 'HTTP/2.0'),
  'another method': text.replace('POST', 'PUT'),
  'a small method': text.replace('POST', 'post'),
  'another path': text.replace('/mcp', '/api'),
  'a whole URL': text.replace('/mcp', 'http://127.0.0.1/mcp'),
  'a query': text.replace('/mcp', '/mcp?a=b&c'),
  'a fragment': text.replace('/mcp', '/mcp#x'),
  'two spaces': text.replace(' /mcp ', '  /mcp '),
  'a tab': text.replace(' /mcp ', '\t/mcp '),
  'a space in the path': text.replace('/mcp', '/mcp x'),
  'letters beyond ASCII in the path': text.replace('/mcp', '/mcp/\xe9'),
  'line feeds only': text.replaceAll('\r\n', '\n'),
  'a line before the request': `\r\n${text}`,
  'no name': lines(': x'),
  'no colon': lines('X-A'),
  'a name with brackets': lines('X(A): 1'),
  'a long value': lines(`X-A: ${'a'.repeat(7000)}`),
  'a value too long': lines(`X-A: ${'a'.repeat(20_000)}`),
  'a body beyond what is read here': lines('X-A: 1')
    .replace('length: 10', 'length: 70000')
    .replace('{"a":"Ã©"}', 'x'.repeat(70_000)),
  'bytes behind the request': `${text}x`,
  'another request behind it': text + text.replace('/mcp', '/mcp/2'),
}

/** Seeded, so that what fails once fails again. */
function mutations(count: number): string[] {
  let seed = 42
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((seed / 2_147_483_648) * below)
  }
  const pieces = [
    '\r',
    '\n',
    '\r\n',
    ' ',
    '\t',
    ':',
    '\0',
    '\x7f',
    '\xe9',
    'a',
    '0',
    '1',
    ',',
    ';',
    '\r\n ',
    '\r\nx: y',
  ]
  const head = text.slice(0, text.indexOf('\r\n\r\n') + 4)
  return Array.from({ length: count }, () => {
    const at = random(head.length)
    const piece = pieces[random(pieces.length)] ?? ''
    const cut = random(2)
    return head.slice(0, at) + piece + head.slice(at + cut) + text.slice(head.length)
  })
}

/** What a server says to these bytes: its answers, without when and how long the connection is kept. */
async function said(port: number, bytes: string): Promise<unknown> {
  // Whoever says no more is answered what can be answered, and the connection ends: nothing has to be waited for.
  const { answers, rest } = await rawExchange(port, bytes, { finish: true, deadlineMs: 5000 })
  const shown = answers.map(({ status, body }) => ({ status, body: body.replace(/"timestamp":"[^"]*"/, '') }))
  return { shown, rest }
}

function msOf(value: string): number {
  const from = performance.now()
  for (let n = 0; n < 10; n += 1) readPlainHead(`POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nX:${value}\r\n`)
  return performance.now() - from
}

describe('what is plain', () => {
  it.each(Object.entries(ODD))('%s means to it what it means to node', async (_what, bytes) => {
    const [plain, node] = [await openPlainStage(), await openPlainStage({ isPlain: false })]
    expect(await said(plain.port, bytes)).toEqual(await said(node.port, bytes))
  })

  it('reads what it takes as node reads it, whatever one byte more or less makes of a request', async () => {
    const [plain, node] = [await openPlainStage(), await openPlainStage({ isPlain: false })]
    for (const bytes of mutations(400)) {
      expect([bytes, await said(plain.port, bytes)]).toEqual([bytes, await said(node.port, bytes)])
    }
    expect(plain.read.plain).toBeGreaterThan(50)
    expect(plain.read.node).toBeGreaterThan(10)
  })

  it('a long row of spaces costs no more than any other head of its length', () => {
    const [plain, spaces, tabs] = ['x', ' ', '\t'].map((each) => msOf(`${each.repeat(8000)}\x01`))
    // A quadratic reader takes more than a hundred times as long.
    expect(Math.min(spaces ?? 0, tabs ?? 0)).toBeLessThan(20 * (plain ?? 0) + 20)
  })
})
