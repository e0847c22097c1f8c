import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { sick, startGatewayChild } from '../support/gateway-child.ts'
import { memoryOf } from '../support/processes.ts'
import { startBackend } from '../support/recording-backend.ts'
import { newDirectory } from '../support/test-app.ts'

const MB = 1024 * 1024
const GROWTH_MB_MAX = 100
/** What stands in line behind five hundred waits much longer. */
const BUSY_MS_MAX = 5000

const packed = (type: string) => ({ 'content-type': type, 'content-encoding': 'gzip' })

/** D2: a few kilobytes must not become memory, whichever side they come from. */
test('D2 what is packed is unpacked for nobody, neither of callers nor of servers', async () => {
  const bomb = gzipSync(Buffer.alloc(256 * MB))
  await using directory = await newDirectory()
  await using backend = await startBackend()
  backend.on('/bomb', (response) => response.writeHead(200, packed('application/json')).end(bomb))
  backend.on('/stream', (response) => response.writeHead(200, packed('text/event-stream')).end(bomb))
  backend.on('/busy', (response) => response.writeHead(503, packed('text/plain')).end(bomb))
  const paths = ['bomb', 'stream', 'busy']
  const tools = Object.fromEntries(paths.map((path) => [path, { endpoint: `${backend.url}/${path}`, method: 'GET' }]))
  await using gateway = await startGatewayChild({ directory: directory.path, file: { tools } })
  const before = memoryOf(gateway.pid).nowMb
  const startedAt = performance.now()
  for (const path of ['/mcp', '/api/v1/tools/search']) {
    const { status } = await fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { ...packed('application/json'), accept: 'application/json, text/event-stream' },
      body: bomb,
    })
    expect([path, status]).toEqual([path, 415])
  }
  for (const path of ['bomb', 'stream']) {
    const { status, body } = await gateway.api.execute(path)
    expect([path, status, body.error]).toEqual([path, 502, 'upstream_protocol_error'])
  }
  const { result } = (await gateway.api.execute('busy')).body
  expect(result).toEqual({ content: [{ type: 'text', text: 'busy answered HTTP 503' }], isError: true })
  const growth = memoryOf(gateway.pid).peakMb - before
  console.log(
    `D2: ${bomb.length >> 10} kB that stand for 256 MB, five times: ${Math.round(performance.now() - startedAt)} ms, at most ${growth} MB more`,
  )
  expect(growth).toBeLessThan(GROWTH_MB_MAX)
})

const HEAD = 'POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n'

/** Sends a byte now and then and never comes to an end; resolves to all that it was told when the gateway hangs up. */
function loris(port: number, beginning: string, drop: string): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1')
  socket.setEncoding('latin1').write(beginning)
  const timer = setInterval(() => socket.write(drop), 200)
  let heard = ''
  socket.on('data', (chunk: string) => (heard += chunk))
  socket.on('error', () => undefined)
  return new Promise((resolve) =>
    socket.once('close', () => {
      clearInterval(timer)
      resolve(heard)
    }),
  )
}

/** D3: connections are cheap for who opens them; they must not be a place that others do without. */
test('D3 five hundred requests that never end are told 408 and cut, and others are served meanwhile', async () => {
  await using directory = await newDirectory()
  await using gateway = await startGatewayChild({
    directory: directory.path,
    file: { servers: { well: sick('healthy', { start: 'eager' }) } },
    env: { META_MCP_REQUEST_TIMEOUT_SECONDS: '1.5' },
  })
  await gateway.api.online('well')
  const port = Number(new URL(gateway.url).port)
  const startedAt = performance.now()
  const state = { isOver: false }
  const all = Promise.all([
    ...Array.from({ length: 200 }, (_, n) => loris(port, `${HEAD}x-${n}: `, 'y')),
    ...Array.from({ length: 200 }, () => loris(port, `${HEAD}content-length: 1000\r\n\r\n{`, ' ')),
    ...Array.from({ length: 100 }, () => loris(port, `${HEAD}transfer-encoding: chunked\r\n\r\n`, '1\r\n \r\n')),
  ]).finally(() => (state.isOver = true))
  const times: number[] = []
  while (!state.isOver) {
    const from = performance.now()
    expect((await gateway.api.execute('well__echo', { said: 'x' })).status).toBe(200)
    times.push(performance.now() - from)
  }
  const told = await all
  const slowest = Math.round(Math.max(...times))
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`D3: ${told.length} cut after ${seconds} s; meanwhile ${times.length} calls, the slowest ${slowest} ms`)
  expect(new Set(told.map((heard) => heard.split('\r\n', 1)[0]))).toEqual(new Set(['HTTP/1.1 408 Request Timeout']))
  expect(told[0]).toContain('"error":"request_timeout"')
  expect(times.length).toBeGreaterThan(2)
  expect(slowest).toBeLessThan(BUSY_MS_MAX)
})
