import { request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digest } from '#kernel/seal'
import { sick, startGatewayChild, type GatewayChild, type GatewayChildOptions } from '../support/gateway-child.ts'
import { descendants, isRunning, openFiles, withEnvironment } from '../support/processes.ts'
import { legacyRaw } from '../support/raw-clients.ts'
import { newDirectory } from '../support/test-app.ts'
import { until } from '../support/until.ts'

/** Restarts take a tenth of a second each: all of them only on demand. */
const IS_FULL = process.env['METAMCP_FULL_LEAKS'] === '1'
const SESSIONS = 1000
const RESTARTS = IS_FULL ? 200 : 25
const FILES_TOLERANCE = 8

let cleanup: AsyncDisposableStack
let directory: string
beforeEach(async () => {
  cleanup = new AsyncDisposableStack()
  directory = cleanup.use(await newDirectory()).path
})
afterEach(() => cleanup.disposeAsync())

/** A gateway that reports what nobody handled: a promise that is rejected for nobody ends it with a code. */
async function start(
  servers: Record<string, unknown>,
  options: Partial<GatewayChildOptions> = {},
): Promise<GatewayChild> {
  const env = { META_MCP_LOGGING_LEVEL: 'WARNING', NODE_OPTIONS: '--unhandled-rejections=strict', ...options.env }
  return cleanup.use(await startGatewayChild({ directory, file: { servers }, env }))
}

interface Details {
  readonly pids: number[]
  readonly status: string
  readonly sessions: number
}

async function details(gateway: GatewayChild, name: string): Promise<Details> {
  const { body } = await gateway.api.send<Details>('GET', `proxy/servers/${name}`)
  return body
}

async function text(gateway: GatewayChild, tool: string, args: object = {}): Promise<string> {
  const { body } = await gateway.api.execute(tool, args)
  return body.result?.content[0]?.text ?? JSON.stringify(body)
}

/** Opens a session and leaves: half of them with the stream of their own open, which is cut. */
function abandonSession(url: string, withStream: boolean): Promise<void> {
  const params = { protocolVersion: '2025-11-25', capabilities: { roots: {} }, clientInfo: { name: 'a', version: '1' } }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })
  const accept = 'application/json, text/event-stream'
  return new Promise((resolve, reject) => {
    const post = httpRequest(
      url,
      { method: 'POST', headers: { 'content-type': 'application/json', accept } },
      (hello) => {
        hello.resume()
        const id = String(hello.headers['mcp-session-id'])
        if (!withStream) return void hello.once('end', resolve)
        const get = httpRequest(url, { headers: { accept: 'text/event-stream', 'mcp-session-id': id } }, (stream) => {
          stream.once('data', () => stream.destroy())
          stream.once('close', resolve)
        })
        get.once('error', reject).end()
      },
    )
    post.once('error', reject).end(body)
  })
}

describe('nothing leaks', () => {
  test(`${SESSIONS} sessions opened and abandoned leave no session, no connection and no file`, async () => {
    const gateway = await start(
      { well: sick('healthy', { start: 'eager' }) },
      { env: { META_MCP_SESSION_IDLE_SECONDS: '1' } },
    )
    await gateway.api.online('well')
    const before = openFiles(gateway.pid)
    for (let opened = 0; opened < SESSIONS; opened += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, n) => abandonSession(gateway.mcp, n % 2 === 0)))
    }
    await until('no session', async () => (await openSessions(gateway)) === 0)
    await until('no more open files than before', () => openFiles(gateway.pid) <= before + FILES_TOLERANCE)
    console.log(`${SESSIONS} sessions: files ${before} → ${openFiles(gateway.pid)}`)
    expect(descendants(gateway.pid)).toHaveLength(1)
  })

  test(`${RESTARTS} restarts of a stdio server leave one child and no file`, async () => {
    const gateway = await start({ well: sick('healthy', { start: 'eager' }) })
    await gateway.api.online('well')
    const before = openFiles(gateway.pid)
    const pids = new Set<string>()
    const startedAt = performance.now()
    for (let n = 0; n < RESTARTS; n += 1) {
      const { status, body } = await gateway.api.send('POST', 'proxy/servers/well/restart')
      expect(status, JSON.stringify(body)).toBe(200)
      pids.add(await text(gateway, 'well__pid'))
    }
    console.log(
      `${RESTARTS} restarts: ${Math.round(performance.now() - startedAt)} ms, files ${before} → ${openFiles(gateway.pid)}`,
    )
    expect(pids.size).toBe(RESTARTS)
    await until('one child', () => descendants(gateway.pid).length === 1)
    await until('no more open files than before', () => openFiles(gateway.pid) <= before + FILES_TOLERANCE)
  })

  test('restarts that come together leave one child, and no call finds its server removed', async () => {
    const gateway = await start({ well: sick('healthy', { start: 'eager' }) })
    await gateway.api.online('well')
    const restarts = Array.from({ length: 5 }, () => gateway.api.send('POST', 'proxy/servers/well/restart'))
    const said = await text(gateway, 'well__echo', { said: 'hello' })
    expect(said).not.toContain('removed')
    await Promise.all(restarts)
    await gateway.api.online('well')
    await until('one child', () => descendants(gateway.pid).length === 1)
    expect((await details(gateway, 'well')).pids).toHaveLength(1)
  })

  test('a server that is deleted while it restarts leaves no child', async () => {
    const gateway = await start({})
    const registration = { name: 'api', ...sick('healthy'), start: 'eager' }
    expect((await gateway.api.send('POST', 'proxy/servers', registration)).status).toBe(201)
    await gateway.api.online('api')
    const restart = gateway.api.send('POST', 'proxy/servers/api/restart')
    await gateway.api.send('DELETE', 'proxy/servers/api')
    await restart
    await until('no child', () => descendants(gateway.pid).length === 0)
  })

  test('a child killed in the middle of a call ends the call at once and comes back by itself (R120)', async () => {
    const gateway = await start({ well: sick('healthy', { start: 'eager' }) })
    await gateway.api.online('well')
    const pid = Number(await text(gateway, 'well__pid'))
    const call = gateway.api.execute('well__slow', { ms: 60_000 })
    await until('the call runs', async () => (await details(gateway, 'well')).pids.includes(pid))
    process.kill(pid, 'SIGKILL')
    const killedAt = performance.now()
    const { status, body } = await call
    console.log(`call failed ${Math.round(performance.now() - killedAt)} ms after the kill`)
    expect([status, body.error, body.message]).toEqual([
      502,
      'upstream_unavailable',
      'well: The server process ended (SIGKILL)',
    ])
    expect(performance.now() - killedAt).toBeLessThan(1000)
    await gateway.api.online('well')
    console.log(`online ${Math.round(performance.now() - killedAt)} ms after the kill`)
    expect(Number(await text(gateway, 'well__pid'))).not.toBe(pid)
    expect(descendants(gateway.pid)).toHaveLength(1)
  })

  test('what a child has started is gone with it, a daemon that left its group included', async () => {
    const gateway = await start({ family: sick('family', { start: 'eager' }) })
    await gateway.api.online('family')
    const family = Object.values(JSON.parse(await text(gateway, 'family__family')) as Record<string, number>)
    expect(family.map(isRunning)).toEqual([true, true, true])
    await gateway.api.send('POST', 'proxy/servers/family/restart')
    await until('the first family is gone', () => !family.some(isRunning))
    const second = Object.values(JSON.parse(await text(gateway, 'family__family')) as Record<string, number>)
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toBe(0)
    expect(second.filter(isRunning)).toEqual([])
  })

  test('what a killed gateway left behind is ended by the next one on its data directory (R120)', async () => {
    const servers = { family: sick('family', { start: 'eager' }) }
    const first = await start(servers)
    await first.api.online('family')
    const family = Object.values(JSON.parse(await text(first, 'family__family')) as Record<string, number>)
    first.signal('SIGKILL')
    expect(await first.exited).toBe(null)
    expect(family.some(isRunning), 'nobody was there to end them').toBe(true)
    const second = await start(servers)
    expect(family.filter(isRunning)).toEqual([])
    await second.api.online('family')
    expect((await details(second, 'family')).pids).toHaveLength(1)
  })

  test('SIGTERM under load: what runs is answered, nothing new begins, the exit code is 0 (R041, R180)', async () => {
    const gateway = await start({
      well: sick('healthy', { start: 'eager', maxConcurrency: 100 }),
      hangs: sick('hangs'),
    })
    await gateway.api.online('well')
    await using client = await legacyRaw(gateway.mcp)
    const call = (n: number) =>
      client.call('tools/call', { name: 'well__slow', arguments: { ms: 700 + 10 * n } }, { id: n })
    const running = Array.from({ length: 40 }, (_, n) => call(n))
    const overRest = Array.from({ length: 10 }, () => gateway.api.execute('well__slow', { ms: 1000 }))
    const pipelined = connect(Number(new URL(gateway.url).port), '127.0.0.1')
    const heard = gather(pipelined)
    pipelined.write(executeText('well__slow', { ms: 900 }))
    await until('all of them run', async () => (await text(gateway, 'well__echo', { said: 'x' })) === 'x')
    const mark = `${digest(join(directory, 'data'))}.${gateway.pid}.`
    expect(withEnvironment(mark)).toHaveLength(2)
    gateway.signal('SIGTERM')
    const stoppedAt = performance.now()
    await until('it says that it drains, on new connections too', async () => {
      const reply = await fetch(`${gateway.url}/api/v1/health/ready`, { headers: { connection: 'close' } })
      return reply.status === 503 && (await reply.text()).includes('draining')
    })
    expect(await gateway.api.send('GET', 'health/live')).toMatchObject({ status: 200 })
    const late = await gateway.api.execute('well__echo', { said: 'late' })
    expect(late).toMatchObject({ status: 503, body: { error: 'unavailable' } })
    pipelined.write(executeText('well__echo', { said: 'late' }))
    const answers = await Promise.all(running)
    expect(answers.map(({ result }) => JSON.stringify(result)).filter((said) => !said?.includes('slept'))).toEqual([])
    const executed = await Promise.all(overRest)
    expect(executed.map(({ status }) => status)).toEqual(executed.map(() => 200))
    expect(await heard).toMatch(/^HTTP\/1.1 200 .*slept 900.*HTTP\/1.1 503 .*The gateway is stopping/s)
    expect(await gateway.exited, gateway.log()).toBe(0)
    console.log(`exited ${Math.round(performance.now() - stoppedAt)} ms after SIGTERM`)
    expect(withEnvironment(mark)).toEqual([])
    expect(gateway.log()).not.toContain('"level":"error"')
  })

  test('a second signal ends the gateway at once, and a server in the middle of a call with it (R120)', async () => {
    const gateway = await start({ well: sick('healthy', { start: 'eager' }) })
    await gateway.api.online('well')
    const call = gateway.api.execute('well__slow', { ms: 60_000 }).catch(() => 'cut off')
    await until('it runs', async () => (await text(gateway, 'well__echo', { said: 'x' })) === 'x')
    const mark = `${digest(join(directory, 'data'))}.${gateway.pid}.`
    gateway.signal('SIGTERM')
    await until('it waits', () => gateway.log().includes('another signal'))
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toBe(130)
    expect(await call).toBe('cut off')
    await until('no child', () => withEnvironment(mark).length === 0)
  })

  test('a call that outlasts the grace period is told so, and is in the history of the next start', async () => {
    const servers = { well: sick('healthy', { start: 'eager' }) }
    const first = await start(servers, { env: { META_MCP_GRACE_PERIOD_SECONDS: '0.3' } })
    await first.api.online('well')
    await using client = await legacyRaw(first.mcp)
    const call = first.api.execute('well__slow', { ms: 60_000 })
    const overMcp = client.call('tools/call', { name: 'well__slow', arguments: { ms: 60_000 } }, { id: 7 })
    const echoed = await text(first, 'well__echo', { said: 'x' })
    expect(echoed).toBe('x')
    first.signal('SIGTERM')
    const stopping = expect.stringContaining('The gateway is stopping')
    expect(await call).toMatchObject({ status: 503, body: { error: 'unavailable', message: stopping } })
    expect(await overMcp).toMatchObject({ error: { message: stopping } })
    expect(await first.exited).toBe(0)
    const second = await start(servers)
    const { body } = await second.api.send<{ executions: { name: string; status: string }[] }>('GET', 'executions')
    expect(body.executions, JSON.stringify(body)).toHaveLength(3)
    expect(body.executions.find(({ name }) => name === 'well__slow')?.status).toBe('error')
  })
})

/** A request as it goes over the wire, for a connection that sends the next before it has the answer. */
function executeText(tool: string, args: object): string {
  const body = JSON.stringify({ arguments: args })
  const head = `POST /api/v1/tools/${tool}/execute HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json`
  return `${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}

async function gather(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

async function openSessions(gateway: GatewayChild): Promise<number> {
  const { body } = await gateway.api.send<{ components: { name: string; message: string }[] }>('GET', 'health/detailed')
  const message = body.components.find(({ name }) => name === 'sessions')?.message ?? ''
  return Number(/^\d+/.exec(message)?.[0] ?? Number.NaN)
}
