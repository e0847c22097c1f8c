import { get, type ClientRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { sick, startGatewayChild, type GatewayChild } from '../support/gateway-child.ts'
import { memoryOf } from '../support/processes.ts'
import { legacyRaw, modernRaw } from '../support/raw-clients.ts'
import { httpText } from '../support/raw-socket.ts'
import { newDirectory } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const STREAMS_MAX = 1000
const STREAM_KB_MAX = 100
const PATIENCE_MS = 25_000

interface Opened {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly request: ClientRequest
}

function open({ url }: GatewayChild, headers: Readonly<Record<string, string>> = {}): Promise<Opened> {
  const { promise, resolve, reject } = Promise.withResolvers<Opened>()
  const request = get(`${url}/sse`, { headers: { accept: 'text/event-stream', ...headers }, agent: false })
  request.once('error', reject)
  request.once('response', (response: IncomingMessage) => {
    response.resume().on('error', () => undefined)
    resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], request })
  })
  return promise
}

/** D4: who opens streams and does nothing with them takes his own share, and no more. */
test('D4 of more than a thousand streams of one caller the rest is told 429, others come in, and memory stays bounded', async () => {
  await using directory = await newDirectory()
  await using gateway = await startGatewayChild({ directory: directory.path })
  const before = memoryOf(gateway.pid).nowMb
  const startedAt = performance.now()
  const opened: Opened[] = []
  for (let wave = 0; wave < 11; wave += 1)
    opened.push(...(await Promise.all(Array.from({ length: 100 }, () => open(gateway)))))
  const ms = Math.round(performance.now() - startedAt)
  const held = opened.filter(({ status }) => status === 200)
  const refused = opened.filter(({ status }) => status === 429)
  const kb = Math.round(((memoryOf(gateway.pid).nowMb - before) * 1024) / held.length)
  console.log(`D4: ${opened.length} streams wanted in ${ms} ms, ${held.length} held, ${kb} kB each`)
  expect([held.length, refused.length]).toEqual([STREAMS_MAX, opened.length - STREAMS_MAX])
  expect(refused.every(({ retryAfter }) => Number(retryAfter) > 0)).toBe(true)
  expect(kb).toBeLessThan(STREAM_KB_MAX)
  const other = await open(gateway, { authorization: `Bearer ${gateway.first.api_key}` })
  expect(other.status).toBe(200)
  // The same count for all that streams: sessions of clients, and those of 2026-07-28.
  await using client = await legacyRaw(gateway.mcp)
  expect((await client.get()).status).toBe(429)
  await using modern = modernRaw(gateway.mcp)
  const listening = await modern.send('subscriptions/listen', { notifications: { toolsListChanged: true } })
  expect([listening.status, Number(listening.headers['retry-after']) > 0]).toEqual([429, true])
  // Whoever could not hear anything takes no place.
  const deaf = { headers: { accept: 'application/json' } }
  expect((await modern.send('subscriptions/listen', { notifications: {} }, deaf)).status).toBe(406)
  for (const { request } of [...held, other]) request.destroy()
  await until('there is room again', async () => {
    const { status, request } = await open(gateway)
    request.destroy()
    return status === 200
  })
})

/** D5: what a client does not read lies in our memory, so it gets only so much. */
test('D5 a client that never reads its stream is cut, and others are served meanwhile', async () => {
  await using directory = await newDirectory()
  await using gateway = await startGatewayChild({
    directory: directory.path,
    file: { servers: { chat: sick('talkative', { start: 'eager' }), well: sick('healthy', { start: 'eager' }) } },
  })
  await gateway.api.online('chat', 'well')
  await using client = await legacyRaw(gateway.mcp)
  const before = memoryOf(gateway.pid).nowMb
  const params = { name: 'chat__talk', arguments: { parts: 4000 }, _meta: { progressToken: 1 } }
  const message = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
  const headers = { ...client.headers, accept: 'application/json, text/event-stream' }
  const deaf = connect(Number(new URL(gateway.url).port), '127.0.0.1').pause()
  let isCut = false
  for (const event of ['error', 'close']) deaf.on(event, () => (isCut = true))
  deaf.write(httpText('POST', '/mcp', { 'content-type': 'application/json', ...headers }, message))
  const startedAt = performance.now()
  let calls = 0
  const isOver = async (): Promise<boolean> => {
    // Only who writes learns that the other side is gone without reading.
    if (deaf.writable) deaf.write('\r\n')
    expect((await gateway.api.execute('well__echo', { said: 'x' })).status).toBe(200)
    calls += 1
    return isCut
  }
  await until('it is cut', isOver, PATIENCE_MS)
  const growth = memoryOf(gateway.pid).peakMb - before
  console.log(
    `D5: 250 MB for nobody: cut after ${Math.round(performance.now() - startedAt)} ms, ${calls} other calls, at most ${growth} MB more`,
  )
  deaf.destroy()
  expect(growth).toBeLessThan(200)
})
