import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { httpText, rawExchange } from '../../test/support/raw-socket.ts'
import { until } from '../../test/support/until.ts'
import { refuseBrokenRequests } from './broken-requests.ts'
import { openPlainDoor, type PlainDoor } from './plain-door.ts'
import type { PlainResponse } from './plain-response.ts'

interface Options {
  /** Without it node reads everything. */
  readonly isPlain?: boolean
  readonly keepAliveMs?: number
  /** In place of an echo of the request. */
  answer?(response: PlainResponse, body: string): void
}

/** A server that says what it has read, with the door before it, and who has read how many requests. */
async function openStage({ isPlain = true, keepAliveMs = 60_000, answer }: Options = {}) {
  const read = { plain: 0, node: 0 }
  const server = createServer(
    { keepAliveTimeout: keepAliveMs, headersTimeout: 300, requestTimeout: 300, connectionsCheckingInterval: 50 },
    (request, response) => {
      read.node += 1
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const text = echo(request.method, request.url, request.headers, Buffer.concat(chunks))
        response.writeHead(200, { 'content-length': Buffer.byteLength(text) }).end(text)
      })
    },
  )
  refuseBrokenRequests(server)
  let door: PlainDoor | undefined
  if (isPlain)
    door = openPlainDoor(server, 'connection', {
      takes: (url) => url.startsWith('/mcp'),
      serve({ method, url, headers, body }, response) {
        read.plain += 1
        if (answer) return answer(response, body.toString())
        const text = echo(method, url, headers, body)
        response.writeHead(200, { 'content-length': Buffer.byteLength(text) }).end(text)
      },
      keepAliveMs,
      checkMs: 50,
    })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    door?.closeAll()
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, read, door, server }
}

function echo(method: string | undefined, url: string | undefined, headers: IncomingHttpHeaders, body: Buffer): string {
  const { connection: _connection, ...said } = headers
  return JSON.stringify({ method, url, said, body: body.toString('latin1') })
}

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

describe('the door for plain requests', () => {
  it.each(Object.entries(ODD))('%s means to it what it means to node', async (_what, bytes) => {
    const [plain, node] = [await openStage(), await openStage({ isPlain: false })]
    expect(await said(plain.port, bytes)).toEqual(await said(node.port, bytes))
  })

  it('reads what it takes as node reads it, whatever one byte more or less makes of a request', async () => {
    const [plain, node] = [await openStage(), await openStage({ isPlain: false })]
    for (const bytes of mutations(400)) {
      expect([bytes, await said(plain.port, bytes)]).toEqual([bytes, await said(node.port, bytes)])
    }
    expect(plain.read.plain).toBeGreaterThan(50)
    expect(plain.read.node).toBeGreaterThan(10)
  })

  it('answers a request in pieces as one that comes whole, and leaves a head in pieces to node', async () => {
    const { port, read } = await openStage()
    const whole = await said(port, text)
    const bodyAt = text.indexOf('\r\n\r\n') + 4
    for (let at = 1; at < POST.length; at += 7) {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      const before = { ...read }
      socket.write(POST.subarray(0, at))
      for (let turn = 0; turn < 5; turn += 1) await setImmediate()
      socket.end(POST.subarray(at))
      const heard = await all(socket)
      expect({ shown: [{ status: 200, body: bodyOf(heard) }], rest: '' }).toEqual(whole)
      const reader = read.plain > before.plain ? 'plain' : 'node'
      // Both pieces may come as one.
      if (at >= bodyAt) expect(reader).toBe('plain')
    }
    expect(read.node).toBeGreaterThan(0)
  })

  it('answers one after the other in their order, early ones too', async () => {
    const waiting: (() => void)[] = []
    const { port, read } = await openStage({
      answer: (response, body) =>
        void waiting.push(() => response.writeHead(200, { 'content-length': body.length }).end(body)),
    })
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const heard = all(socket)
    socket.write(httpText('POST', '/mcp', {}, 'one'))
    await until('the first is read', () => waiting.length === 1)
    socket.write(httpText('POST', '/mcp', {}, 'two'))
    socket.write(httpText('POST', '/mcp', {}, 'three'))
    await setImmediate()
    expect(waiting).toHaveLength(1)
    waiting[0]!()
    await until('another is read', () => waiting.length === 2 || read.node > 0)
    waiting[1]?.()
    await until('all are read', () => read.plain + read.node === 3)
    waiting[2]?.()
    socket.end()
    const bodies = (await heard).split(/HTTP\/1\.1 200 OK\r\n/).slice(1)
    expect(bodies.map((each) => /one|two|three/.exec(each)?.[0])).toEqual(['one', 'two', 'three'])
  })

  it('gives a connection away for good when something else comes on it', async () => {
    const { port, read } = await openStage()
    const parts = [POST, POST, httpText('GET', '/mcp'), POST]
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let heard = ''
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()))
    for (const [index, part] of parts.entries()) {
      socket.write(part)
      await until(`answer ${index}`, () => heard.split('HTTP/1.1 200 OK').length === index + 2)
    }
    expect(read).toEqual({ plain: 2, node: 2 })
    socket.destroy()
  })

  it('a stream comes in chunks, a client that leaves is noticed, and so is the end', async () => {
    const closed: boolean[] = []
    const open: PlainResponse[] = []
    const { port } = await openStage({
      answer(response) {
        open.push(response)
        response.once('close', () => closed.push(response.writableFinished))
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.flushHeaders()
        response.write('data: é\n\n')
      },
    })
    const reading = rawExchange(port, httpText('POST', '/mcp', {}, '{}'), { answers: 1 })
    await until('a stream is open', () => open.length === 1)
    open[0]!.end('data: last\n\n')
    const [answer] = (await reading).answers
    expect(answer).toMatchObject({ status: 200, body: 'data: é\n\ndata: last\n\n' })
    await until('the first is over', () => closed.length === 1)
    const socket = connect({ port, host: '127.0.0.1' })
    socket.write(httpText('POST', '/mcp', {}, '{}'))
    await until('another is open', () => open.length === 2)
    socket.destroy()
    await until('the second is over', () => closed.length === 2)
    expect(closed).toEqual([true, false])
    expect(open[1]!.destroyed).toBe(true)
    expect(open[0]!.write('late')).toBe(false)
  })

  it('whoever does not read is not read from', async () => {
    const large = 'x'.repeat(8_000_000)
    let answered = 0
    const { port } = await openStage({
      answer(response) {
        answered += 1
        response.writeHead(200, { 'content-length': large.length }).end(large)
      },
    })
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.pause()
    socket.write(POST)
    await until('one is answered', () => answered === 1)
    await new Promise((resolve) => socket.write(POST, resolve))
    for (let turn = 0; turn < 5; turn += 1) await setImmediate()
    expect(answered).toBe(1)
    let bytes = 0
    socket.on('data', (chunk: Buffer) => (bytes += chunk.length)).resume()
    await until('all is read', () => bytes > 2 * large.length)
    expect(answered).toBe(2)
    socket.destroy()
  })

  it('a header with a line break is not written', async () => {
    let thrown: unknown
    const { port } = await openStage({
      answer(response) {
        try {
          response.setHeader('retry-after', '1\r\nx: y')
        } catch (error) {
          thrown = error
        }
        response.writeHead(202, { 'content-length': 0 }).end()
      },
    })
    const { answers } = await rawExchange(port, POST, { answers: 1 })
    expect(answers[0]?.headers['x']).toBeUndefined()
    expect(String(thrown)).toContain('retry-after')
  })

  it.each([
    ['says nothing', ''],
    ['does not end its head', text.slice(0, 40)],
    ['does not end its body', text.slice(0, -3)],
  ])('who %s is told 408', async (_what, bytes) => {
    const { port } = await openStage()
    const { answers, end } = await rawExchange(port, bytes, { deadlineMs: 5000 })
    expect([answers[0]?.status, end]).toEqual([408, 'closed'])
  })

  it('a connection without a request is ended after its time', async () => {
    const { port } = await openStage({ keepAliveMs: 100 })
    const { answers, end } = await rawExchange(port, POST, { deadlineMs: 5000 })
    expect([answers[0]?.headers['keep-alive'], answers.length, end]).toEqual(['timeout=0', 1, 'closed'])
  })

  it('ends what is idle and nothing that is asked', async () => {
    const waiting: PlainResponse[] = []
    const { port, door, server } = await openStage({ answer: (response) => void waiting.push(response) })
    const early = connect({ port, host: '127.0.0.1' })
    await once(server, 'connection')
    door!.closeIdle()
    early.write(POST)
    await until('who had not asked yet is heard', () => waiting.length === 1)
    waiting.pop()!.writeHead(202, { 'content-length': 0 }).end()
    const reading = rawExchange(port, POST, { answers: 1, deadlineMs: 5000 })
    await until('it is asked', () => waiting.length === 1)
    door!.closeIdle()
    waiting[0]!.writeHead(202, { 'content-length': 0 }).end()
    expect((await reading).answers[0]?.status).toBe(202)
    const idle = rawExchange(port, POST, { deadlineMs: 5000 })
    await until('it is asked again', () => waiting.length === 2)
    waiting[1]!.writeHead(202, { 'content-length': 0 }).end()
    await until('it is ended', async () => {
      door!.closeIdle()
      return (await Promise.race([idle, setImmediate(undefined)]))?.end === 'closed'
    })
  })
})

async function all(socket: Socket): Promise<string> {
  let heard = ''
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString('utf8')))
  await once(socket, 'close')
  return heard
}

function bodyOf(answer: string): string {
  return answer.slice(answer.indexOf('\r\n\r\n') + 4)
}
