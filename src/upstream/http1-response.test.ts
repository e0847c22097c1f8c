import { createServer, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { connect } from 'node:net'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError } from '#kernel/errors'
import { ResponseReader, type ResponseHeaders } from './http1-response.ts'

const KEEP_MS = 4000

interface Heard {
  readonly status: number
  readonly headers: ResponseHeaders
  text: string
  readonly chunks: Buffer[]
  keepAliveMs?: number
}

/** Reads it in pieces, as many responses as there are `begin`s. */
function read(pieces: readonly Buffer[], { closed = false, requests = 1 } = {}): { heard: Heard[]; error?: unknown } {
  const heard: Heard[] = []
  let left = requests
  const reader = new ResponseReader(
    {
      head: (status, headers) => void heard.push({ status, headers, text: '', chunks: [] }),
      data: (chunk) => void heard.at(-1)!.chunks.push(chunk),
      end(keepAliveMs) {
        const last = heard.at(-1)!
        last.keepAliveMs = keepAliveMs
        last.text = Buffer.concat(last.chunks.splice(0)).toString('latin1')
        left -= 1
        if (left > 0 && keepAliveMs > 0) reader.begin()
      },
    },
    KEEP_MS,
  )
  reader.begin()
  try {
    for (const piece of pieces) {
      // As sockets do: the place is used again for what comes next.
      const place = Buffer.from(piece)
      reader.push(place)
      place.fill('?')
    }
    if (closed && !reader.close()) return { heard, error: 'cut off' }
    return { heard }
  } catch (error) {
    return { heard, error }
  }
}

const whole = (text: string): Buffer[] => [Buffer.from(text, 'latin1')]
const bytewise = (text: string): Buffer[] => [...Buffer.from(text, 'latin1')].map((byte) => Buffer.from([byte]))
const OK = 'HTTP/1.1 200 OK\r\n'

describe('reading responses (RFC 9112)', () => {
  it.each<[what: string, text: string, body: string, keepAliveMs: number]>([
    ['a length', `${OK}Content-Length: 5\r\n\r\nhello`, 'hello', KEEP_MS],
    ['nothing', `${OK}content-length: 0\r\n\r\n`, '', KEEP_MS],
    ['chunks', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;ext="x"\r\n!\r\n0\r\n\r\n`, 'hello!', KEEP_MS],
    [
      'chunks and a trailer',
      `${OK}transfer-encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\nx: y\r\nz: w\r\n\r\n`,
      '0123456789',
      KEEP_MS,
    ],
    ['no content', 'HTTP/1.1 204 No Content\r\ncontent-length: 7\r\n\r\n', '', KEEP_MS],
    ['a status without words', 'HTTP/1.1 202\r\ncontent-length: 0\r\n\r\n', '', KEEP_MS],
    [
      'an interim answer first',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\n${OK}content-length: 2\r\n\r\nok`,
      'ok',
      KEEP_MS,
    ],
    ['its connection closed', `${OK}connection: keep-alive, Close\r\ncontent-length: 2\r\n\r\nok`, 'ok', 0],
    ['connections kept for less', `${OK}keep-alive: timeout=3, max=100\r\ncontent-length: 2\r\n\r\nok`, 'ok', 2000],
    ['connections not really kept', `${OK}keep-alive: timeout=1\r\ncontent-length: 2\r\n\r\nok`, 'ok', 0],
    ['an older version', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok', 'ok', 0],
    ['more than was asked for', `${OK}content-length: 2\r\n\r\nokHTTP/1.1 200 OK`, 'ok', 0],
  ])('%s', (_what, text, body, keepAliveMs) => {
    const { heard, error } = read(whole(text))
    expect(error).toBeUndefined()
    expect(heard).toMatchObject([{ text: body, keepAliveMs }])
    // In single bytes what comes after the end is only seen when the connection is free already: then it is the fault of that.
    if (!text.endsWith('okHTTP/1.1 200 OK')) expect(read(bytewise(text))).toEqual({ heard })
  })

  it('a body without a length ends with the connection, and one with a length that is cut off does not end', () => {
    const open = `${OK}content-type: text/plain\r\n\r\nall of it`
    expect(read(whole(open), { closed: true })).toMatchObject({ heard: [{ text: 'all of it', keepAliveMs: 0 }] })
    for (const cut of [`${OK}content-length: 9\r\n\r\nall`, `${OK}transfer-encoding: chunked\r\n\r\n9\r\nall`, OK, ''])
      expect(read(whole(cut), { closed: true }).error).toBe('cut off')
  })

  it('names are lower case, several values of one are joined, and no name is special', () => {
    const { heard } = read(whole(`${OK}X-A: 1\r\nx-a:2\r\n__proto__: no\r\nEmpty:\r\ncontent-length: 0\r\n\r\n`))
    expect(Object.entries(heard[0]!.headers)).toEqual([
      ['x-a', '1, 2'],
      ['__proto__', 'no'],
      ['empty', ''],
      ['content-length', '0'],
    ])
  })

  it.each<[what: string, text: string]>([
    ['two lengths of two kinds', `${OK}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['two lengths', `${OK}content-length: 5\r\ncontent-length: 6\r\n\r\nhello!`],
    ['the same length twice', `${OK}content-length: 5\r\ncontent-length: 5\r\n\r\nhello`],
    ['a negative length', `${OK}content-length: -5\r\n\r\n`],
    ['a length with a sign', `${OK}content-length: +5\r\n\r\nhello`],
    ['a hexadecimal length', `${OK}content-length: 0x5\r\n\r\nhello`],
    ['a length beyond all numbers', `${OK}content-length: 99999999999999999999\r\n\r\n`],
    ['an empty length', `${OK}content-length:\r\n\r\n`],
    ['a coding that is unknown', `${OK}transfer-encoding: gzip, chunked\r\n\r\n`],
    ['chunked twice', `${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a space before the colon', `${OK}content-length : 5\r\n\r\nhello`],
    ['a folded header', `${OK}x: a\r\n b\r\ncontent-length: 0\r\n\r\n`],
    ['a line feed alone', `${OK}x: a\ncontent-length: 5\r\n\r\nhello`],
    ['a carriage return alone', `${OK}x: a\rb\r\ncontent-length: 0\r\n\r\n`],
    ['a zero byte', `${OK}x: a\0b\r\ncontent-length: 0\r\n\r\n`],
    ['a header without a colon', `${OK}hello\r\n\r\n`],
    ['a header without a name', `${OK}: hello\r\n\r\n`],
    ['another protocol', 'HTTP/2 200\r\n\r\n'],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status that is none', 'HTTP/1.1 600 Hm\r\n\r\n'],
    ['something else', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['a head without an end', `${OK}${'x'.repeat(20_000)}`],
    ['a head that is too large', `${OK}x: ${'x'.repeat(20_000)}\r\n\r\n`],
    ['a chunk without a size', `${OK}transfer-encoding: chunked\r\n\r\n\r\nhello`],
    ['a chunk whose size is no number', `${OK}transfer-encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n`],
    ['a chunk with a prefix', `${OK}transfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n`],
    ['a chunk that is longer than its size', `${OK}transfer-encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n`],
    ['a chunk ended by a line feed alone', `${OK}transfer-encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n`],
    ['a chunk beyond all numbers', `${OK}transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n`],
    ['an extension without an end', `${OK}transfer-encoding: chunked\r\n\r\n5;${'x'.repeat(5000)}`],
    ['a trailer without an end', `${OK}transfer-encoding: chunked\r\n\r\n0\r\n${'x: y\r\n'.repeat(5000)}`],
  ])('%s is refused', (_what, text) => {
    for (const pieces of [whole(text), bytewise(text)]) {
      const { error } = read(pieces)
      expect(error).toBeInstanceOf(AppError)
      expect((error as AppError).code).toBe('upstream_protocol_error')
    }
  })

  it('what Node writes is read as it was meant, however it is cut into packets', async () => {
    const bodies = fc.array(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      { maxLength: 5 },
    )
    const headers = fc.dictionary(
      fc.stringMatching(/^x-[a-z0-9]{1,8}$/),
      fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/),
    )
    await fc.assert(
      fc.asyncProperty(
        bodies,
        headers,
        fc.boolean(),
        fc.array(fc.nat(50), { minLength: 1 }),
        async (parts, extra, isSized, cuts) => {
          const answered = await written((response) => {
            for (const [name, value] of Object.entries(extra)) response.setHeader(name, value)
            const all = Buffer.concat(parts)
            if (isSized) return response.end(all)
            for (const part of parts) response.write(part)
            return response.end()
          })
          const { heard, error } = read(cutUp(answered, cuts))
          expect(error).toBeUndefined()
          expect(heard).toMatchObject([{ status: 200, headers: extra, text: Buffer.concat(parts).toString('latin1') }])
          expect(heard[0]!.keepAliveMs).toBeGreaterThan(0)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('no bytes make it fail in another way, or keep more than it may', () => {
    const token = fc.constantFrom(
      'HTTP/1.1 200 OK\r\n',
      'content-length: 5\r\n',
      'transfer-encoding: chunked\r\n',
      '\r\n',
      '5\r\n',
      'hello',
      '0\r\n\r\n',
      '\n',
      ':',
      ' ',
    )
    fc.assert(
      fc.property(
        fc.array(fc.oneof(token, fc.string({ unit: 'binary', maxLength: 20 })), { maxLength: 30 }),
        (tokens) => {
          const { error } = read(whole(tokens.join('')), { requests: 3, closed: true })
          expect(
            error === undefined ||
              error === 'cut off' ||
              (error instanceof AppError && error.code === 'upstream_protocol_error'),
          ).toBe(true)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

/** The bytes that Node's own server writes. */
async function written(answer: (response: ServerResponse) => unknown): Promise<Buffer> {
  await using server = createServer((_request, response) => void answer(response))
  server.keepAliveTimeout = 5000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1')
  socket.end('GET / HTTP/1.1\r\nhost: x\r\nconnection: keep-alive\r\n\r\n')
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function cutUp(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    const length = 1 + (cuts[index % cuts.length] ?? 0)
    pieces.push(bytes.subarray(at, at + length))
    at += length
  }
  return pieces
}
