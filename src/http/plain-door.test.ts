import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { openPlainStage, SWEEP_MS } from '../../test/support/plain-stage.ts'
import { httpText, rawExchange } from '../../test/support/raw-socket.ts'
import { until } from '../../test/support/until.ts'
import type { PlainResponse } from './plain-response.ts'

const POST = httpText('POST', '/mcp', { 'content-type': 'application/json', accept: '*/*' }, '{"a":"é"}')
const text = POST.toString('latin1')
const BODY_AT = text.indexOf('\r\n\r\n') + 4

describe('the door for plain requests', () => {
  it('answers a request in pieces as one that comes whole, and leaves a head in pieces to node', async () => {
    const { port, read } = await openPlainStage()
    const [whole] = (await rawExchange(port, POST, { answers: 1 })).answers
    for (let at = 1; at < POST.length; at += 7) {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      const before = { ...read }
      socket.write(POST.subarray(0, at))
      for (let turn = 0; turn < 5; turn += 1) await setImmediate()
      socket.end(POST.subarray(at))
      const heard = await all(socket)
      expect(bodyOf(heard)).toBe(whole?.body)
      const reader = read.plain > before.plain ? 'plain' : 'node'
      // Both pieces may come as one.
      if (at >= BODY_AT) expect(reader).toBe('plain')
    }
    expect(read.node).toBeGreaterThan(0)
  })

  it('answers one after the other in their order, early ones too', async () => {
    const waiting: (() => void)[] = []
    const { port, read } = await openPlainStage({
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
    const { port, read } = await openPlainStage()
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
    const { port } = await openPlainStage({
      answer(response) {
        open.push(response)
        response.once('close', () => closed.push(response.writableFinished))
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.flushHeaders()
        response.write('')
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

  it('whoever does not read is asked for nothing more until he has, once each, however long that takes', async () => {
    const { port, read } = await openPlainStage({ answer: sendLarge })
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }).pause()
    socket.write(POST)
    await until('one is answered', () => read.plain === 1)
    socket.write(POST)
    await sweeps(4)
    expect(read).toEqual({ plain: 1, node: 0 })
    let heard = ''
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1'))).resume()
    await until('both are answered', () => heard.includes('"method":"POST"'))
    await sweeps(4)
    expect([read, heard.match(/HTTP\/1\.1/g)?.length]).toEqual([{ plain: 1, node: 1 }, 2])
    socket.destroy()
  })

  it('who asks on and on behind a call that runs is cut off, and so is what he asked', async () => {
    const waiting: PlainResponse[] = []
    const { port, read, sockets } = await openPlainStage({ answer: (response) => void waiting.push(response) })
    const socket = connect({ port, host: '127.0.0.1' }).on('error', () => undefined)
    socket.write(POST)
    await until('it is asked', () => waiting.length === 1)
    socket.write(Buffer.alloc(2_000_000, POST))
    await until('it is cut off', () => sockets.size === 0)
    waiting[0]!.writeHead(200, { 'content-length': 0 }).end()
    await sweeps(2)
    expect(read).toEqual({ plain: 1, node: 0 })
  })

  it('what was asked behind a call is not answered when its client is gone by then', async () => {
    const waiting: PlainResponse[] = []
    const { port, read, sockets } = await openPlainStage({ answer: (response) => void waiting.push(response) })
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.write(POST)
    await until('it is asked', () => waiting.length === 1)
    socket.write(POST)
    await sweeps(1)
    socket.destroy()
    await until('it is gone', () => sockets.size === 0)
    waiting[0]!.writeHead(200, { 'content-type': 'text/event-stream' }).end()
    await sweeps(2)
    expect(read).toEqual({ plain: 1, node: 0 })
    let isTold = false
    waiting[0]!.once('close', () => (isTold = true))
    await until('who listens late is told too', () => isTold)
  })

  it('whoever ends his side while an answer is under way gets all of it, and nothing else', async () => {
    const { port, read } = await openPlainStage({ answer: sendLarge })
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }).pause()
    socket.write(POST)
    await until('one is answered', () => read.plain === 1)
    socket.write(POST)
    socket.end()
    await sweeps(4)
    const heard = all(socket)
    socket.resume()
    expect(bodyOf(await heard)).toHaveLength(LARGE.length)
  })

  it('a connection is idle since its answer was read, not since it was written', async () => {
    const { port, read, sockets } = await openPlainStage({ keepAliveMs: 2 * SWEEP_MS, answer: sendLarge })
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }).pause()
    socket.write(POST)
    await until('it is answered', () => read.plain === 1)
    await sweeps(6)
    expect(sockets.size).toBe(1)
    let bytes = 0
    socket.on('data', (chunk: Buffer) => (bytes += chunk.length)).resume()
    await until('all is read', () => bytes > LARGE.length)
    await until('it is ended', () => sockets.size === 0)
  })

  it('an answer without a head of its own has the usual one', async () => {
    const { port } = await openPlainStage({ answer: (response) => response.end('é') })
    const [answer] = (await rawExchange(port, POST, { answers: 1 })).answers
    expect(answer).toMatchObject({ status: 200, body: 'é', headers: { 'content-length': '2' } })
  })

  it('a header with a line break is not written', async () => {
    let thrown: unknown
    const { port } = await openPlainStage({
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
    const { port } = await openPlainStage()
    const { answers, end } = await rawExchange(port, bytes, { deadlineMs: 5000 })
    expect([answers[0]?.status, end]).toEqual([408, 'closed'])
  })

  it('a connection without a request is ended after its time', async () => {
    const { port } = await openPlainStage({ keepAliveMs: 100 })
    const { answers, end } = await rawExchange(port, POST, { deadlineMs: 5000 })
    expect([answers[0]?.headers['keep-alive'], answers.length, end]).toEqual(['timeout=0', 1, 'closed'])
  })

  it('ends what is idle and nothing that is asked', async () => {
    const waiting: PlainResponse[] = []
    const { port, door, server } = await openPlainStage({ answer: (response) => void waiting.push(response) })
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

const LARGE = 'x'.repeat(8_000_000)

function sendLarge(response: PlainResponse): void {
  response.writeHead(200, { 'content-length': LARGE.length }).end(LARGE)
}

/** Waits for something that must not happen: so many looks of the door at its connections. */
function sweeps(count: number): Promise<void> {
  return setTimeout(count * SWEEP_MS)
}

async function all(socket: Socket): Promise<string> {
  let heard = ''
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString('utf8')))
  await once(socket, 'close')
  return heard
}

function bodyOf(answer: string): string {
  return answer.slice(answer.indexOf('\r\n\r\n') + 4)
}
