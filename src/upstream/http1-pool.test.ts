import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { buildConnector } from 'undici'
import { describe, expect, it } from 'vitest'
import { until } from '../../test/support/until.ts'
import type { RequestController } from './http1-connection.ts'
import { Http1Pool } from './http1-pool.ts'
import type { HttpMessage } from './http1-request.ts'

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
const GET: HttpMessage = { method: 'GET', path: '/', headers: {} }

interface Visit {
  readonly socket: Socket
  readonly text: string
}

/** A server that answers by hand: requests come one by one and in order. */
async function openServer() {
  const visits: Visit[] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('data', (chunk) => visits.push({ socket, text: chunk.toString('utf8') }))
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return {
    visits,
    sockets,
    origin: `http://127.0.0.1:${port}`,
    answer: (index: number, text = OK) => void visits[index]!.socket.write(text),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

function openPool(origin: string, { connectionsMax = 2, keepAliveMs = 4000 } = {}) {
  const pool = new Http1Pool({
    origin,
    connector: (read) => buildConnector({ timeout: 2000, ...(read && { onread: read }) }),
    connectionsMax,
    keepAliveMs,
  })
  const ask = (message: Partial<HttpMessage> = {}) => {
    const heard: string[] = []
    const { promise, resolve } = Promise.withResolvers<string>()
    let controller: RequestController | undefined
    pool.dispatch(
      { ...GET, ...message },
      {
        onRequestStart: (own) => void (controller = own),
        onResponseStart: (_controller, status) => void heard.push(String(status)),
        onResponseData: (_controller, chunk) => void heard.push(chunk.toString('utf8')),
        onResponseEnd: () => resolve(heard.join(' ')),
        onResponseError: (_controller, error) => resolve(`failed ${(error as NodeJS.ErrnoException).code}`),
      },
    )
    return { answer: promise, heard, abort: () => controller?.abort(new Error('enough')) }
  }
  return { ask, [Symbol.dispose]: () => pool.destroy(), destroy: () => pool.destroy() }
}

describe('connections to one origin', () => {
  it('a request arrives as it was written, text beyond ASCII too', async () => {
    await using server = await openServer()
    using pool = openPool(server.origin)
    const headers = { 'x-é': 'no', 'x-a': 'caf\u00e9' }
    expect(await pool.ask({ method: 'POST', headers, body: '{}' }).answer).toMatch(/^failed validation_error/)
    const asked = pool.ask({ method: 'POST', path: '/a?b=c', headers: { 'x-a': '1' }, body: '{"a":"é→"}' })
    await until('request 1', () => server.visits.length === 1)
    const host = server.origin.slice('http://'.length)
    expect(server.visits[0]!.text).toBe(
      `POST /a?b=c HTTP/1.1\r\nhost: ${host}\r\nx-a: 1\r\ncontent-length: 13\r\n\r\n{"a":"é→"}`,
    )
    server.answer(0)
    expect(await asked.answer).toBe('200 ok')
    const named = pool.ask({ headers: { Host: 'another.example' } })
    await until('request 2', () => server.visits.length === 2)
    expect(server.visits[1]!.text).toBe('GET / HTTP/1.1\r\nHost: another.example\r\n\r\n')
    server.answer(1)
    await named.answer
  })

  it.each([
    ['a line break in a value', { headers: { a: 'b\r\nc: d' } }],
    ['a line break in a name', { headers: { 'a\r\nb': 'c' } }],
    ['a length of its own', { headers: { 'Content-Length': '5' } }],
    ['a coding of its own', { headers: { 'transfer-encoding': 'chunked' } }],
    ['a space in the path', { path: '/a b' }],
    ['a line break in the path', { path: '/a\r\nx: y' }],
  ])('%s is not sent', async (_what, message) => {
    await using server = await openServer()
    using pool = openPool(server.origin)
    expect(await pool.ask(message).answer).toBe('failed validation_error')
    expect(server.visits).toEqual([])
  })

  it('the same connection is used again; there are never more than allowed, and the rest waits in its order', async () => {
    await using server = await openServer()
    using pool = openPool(server.origin)
    const asked = ['/0', '/1', '/2', '/3'].map((path) => pool.ask({ path }))
    await until('request 2', () => server.visits.length === 2)
    server.answer(1)
    await until('request 3', () => server.visits.length === 3)
    expect(server.visits[2]!.text).toContain('GET /2 ')
    expect(server.visits[2]!.socket).toBe(server.visits[1]!.socket)
    server.answer(0)
    server.answer(2)
    await until('request 4', () => server.visits.length === 4)
    server.answer(3)
    expect(await Promise.all(asked.map(({ answer }) => answer))).toEqual(Array(4).fill('200 ok'))
    const again = pool.ask({ path: '/4' })
    await until('request 5', () => server.visits.length === 5)
    server.answer(4)
    expect(await again.answer).toBe('200 ok')
    expect(server.sockets.size).toBe(2)
  })

  it('a connection that the server ended while it was free is not used', async () => {
    await using server = await openServer()
    using pool = openPool(server.origin)
    const first = pool.ask()
    await until('request 1', () => server.visits.length === 1)
    server.answer(0)
    await first.answer
    // Closed here means that the other side has heard of it.
    server.visits[0]!.socket.end()
    await until('no connection is left', () => server.sockets.size === 0)
    const second = pool.ask()
    await until('request 2', () => server.visits.length === 2)
    server.answer(1)
    expect(await second.answer).toBe('200 ok')
  })

  it('a free connection is closed after its time', async () => {
    await using server = await openServer()
    using pool = openPool(server.origin, { keepAliveMs: 50 })
    const first = pool.ask()
    await until('request 1', () => server.visits.length === 1)
    server.answer(0)
    await first.answer
    await until('no connection is left', () => server.sockets.size === 0)
  })

  it('an answer that is cut off, broken or unasked for fails its own request and nobody else', async () => {
    await using server = await openServer()
    using pool = openPool(server.origin, { connectionsMax: 3 })
    const [cut, broken, fine] = [pool.ask({ path: '/cut' }), pool.ask({ path: '/broken' }), pool.ask({ path: '/fine' })]
    await until('request 3', () => server.visits.length === 3)
    const of = (path: string): Visit => server.visits.find(({ text }) => text.includes(path))!
    of('/cut').socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab')
    of('/broken').socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n')
    of('/fine').socket.write(`${OK}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil`)
    expect(await cut.answer).toBe('failed ECONNRESET')
    expect(await broken.answer).toBe('failed upstream_protocol_error')
    expect(await fine.answer).toBe('200 ok')
    await until('no connection is left', () => server.sockets.size === 0)
  })

  it('who gives a request up frees its place and hears nothing more, whether it waited or ran', async () => {
    await using server = await openServer()
    using pool = openPool(server.origin, { connectionsMax: 1 })
    const [running, waiting, last] = [pool.ask({ path: '/0' }), pool.ask({ path: '/1' }), pool.ask({ path: '/2' })]
    await until('request 1', () => server.visits.length === 1)
    waiting.abort()
    running.abort()
    await until('request 2', () => server.visits.length === 2)
    expect(server.visits[1]!.text).toContain('GET /2 ')
    server.answer(1)
    expect(await last.answer).toBe('200 ok')
    expect([...running.heard, ...waiting.heard]).toEqual([])
  })

  it('where nothing listens each request is told so, however many wait', async () => {
    const { origin } = await (async () => {
      await using server = await openServer()
      return server
    })()
    using pool = openPool(origin)
    const asked = Array.from({ length: 7 }, () => pool.ask().answer)
    expect(await Promise.all(asked)).toEqual(Array(7).fill('failed ECONNREFUSED'))
  })

  it('an answer that comes before the request was sent leaves no connection behind', async () => {
    await using server = await openServer()
    using pool = openPool(server.origin, { connectionsMax: 1 })
    const large = pool.ask({ method: 'POST', body: 'x'.repeat(30_000_000) })
    await until('request 0', () => server.visits.length > 0)
    server.visits[0]!.socket.pause()
    server.answer(0, 'HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno')
    expect(await large.answer).toBe('413 no')
    server.visits[0]!.socket.resume()
    await until('no connection is left', () => server.sockets.size === 0)
  })

  it('what runs and what waits fails when it is destroyed, and nothing begins any more', async () => {
    await using server = await openServer()
    const pool = openPool(server.origin, { connectionsMax: 1 })
    const asked = [pool.ask(), pool.ask()]
    await until('request 1', () => server.visits.length === 1)
    pool.destroy()
    expect(await Promise.all([...asked, pool.ask()].map(({ answer }) => answer))).toEqual(
      Array(3).fill('failed UND_ERR_DESTROYED'),
    )
    await until('no connection is left', () => server.sockets.size === 0)
  })
})
