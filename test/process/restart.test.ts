import { expect, describe, test } from 'vitest'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { JsonObject } from '#kernel/json'
import { childEngines } from '../support/child-engines.ts'
import { startGatewayChild, type GatewayChild } from '../support/gateway-child.ts'
import { administer, hasPostgres, testPostgres } from '../support/postgres.ts'
import { bridgePipe } from '../support/lossless/pipes.ts'
import { realServers } from '../support/real-servers.ts'
import { startBackend } from '../support/recording-backend.ts'
import { runProcess } from '../support/run-cli.ts'
import { newDirectory } from '../support/test-app.ts'
import { until } from '../support/until.ts'

/** What exists, without what differs from start to start. */
async function inventory({ api }: GatewayChild) {
  const [servers, tools, namespaces] = await Promise.all([
    api.send<{ servers: { server_id: string; name: string; tool_count: number }[] }>('GET', 'proxy/servers'),
    api.send('GET', 'tools?limit=1000'),
    api.send('GET', 'namespaces'),
  ])
  return {
    servers: servers.body.servers.map(({ server_id: id, name, tool_count: count }) => ({ id, name, count })),
    tools: tools.body,
    namespaces: namespaces.body,
  }
}

describe.each(childEngines)('on %s', (_name, available, openPlace) => {
  test.skipIf(!available)(
    'R003, R053, R120, R206: what was registered is all there after a restart, also after kill -9',
    async () => {
      await using directory = await newDirectory()
      await using backend = await startBackend()
      await using place = await openPlace()
      backend.on('/t', '{"ok":true}')
      const options = { directory: directory.path, env: { ...place.env, META_MCP_EGRESS_ALLOW: '127.0.0.0/8' } }
      let before: Awaited<ReturnType<typeof inventory>>
      {
        await using first = await startGatewayChild(options)
        const { api } = first
        for (const [path, body] of [
          ['proxy/servers', { name: 'everything', ...realServers.everything(), start: 'eager' }],
          ['proxy/servers', { name: 'mem', ...realServers.memory(join(directory.path, 'm.jsonl')), start: 'eager' }],
          ['tools', { name: 'plain', description: 'd', endpoint: `${backend.url}/t`, tags: ['a'] }],
          ['namespaces', { name: 'dev', tools: { include: ['say'] } }],
        ] as const) {
          const reply = await api.send('POST', path, body)
          expect([reply.status, reply.text]).toEqual([201, expect.any(String)])
        }
        await api.online('everything', 'mem')
        expect((await api.send('PUT', 'tools/everything__echo', { name: 'say', description: 'anew' })).status).toBe(200)
        expect((await api.execute('plain')).status).toBe(200)
        expect((await api.execute('nobody')).status).toBe(404)
        await until('the history is written', async () => (await api.send('GET', 'executions')).body['total'] === 2)
        before = await inventory(first)
        expect(before.servers.map(({ count }) => count > 0)).toEqual([true, true])
        first.signal('SIGKILL')
        await first.exited
      }
      {
        await using next = await startGatewayChild(options)
        expect(await inventory(next)).toEqual(before)
        const { body } = await next.api.send<{ executions: { name: string; status: string }[] }>('GET', 'executions')
        const shown = body.executions.map(({ name: tool, status }) => `${tool} ${status}`)
        expect(shown).toEqual(expect.arrayContaining(['plain success', 'nobody error']))
        expect((await next.api.execute('say', { message: 'x' })).body.result.content[0]?.text).toBe('Echo: x')
        expect((await next.api.execute('plain')).body.result.structuredContent).toEqual({ ok: true })
        next.signal('SIGTERM')
        expect(await next.exited).toBe(0)
      }
    },
  )
})

/** Runs a gateway that cannot start: one plain sentence a problem, no stack, and no secret. */
async function refusal(args: readonly string[], env: Readonly<Record<string, string>>, said = /^$/): Promise<string> {
  await using directory = await newDirectory()
  const { code, stdout, stderr } = await runProcess(['serve', '--data-dir', directory.path, ...args], { env })
  expect(code).toBe(1)
  expect(stdout).toMatch(said)
  expect(stderr).not.toMatch(/\n\s+at /)
  return stderr
}

test.skipIf(!hasPostgres())(
  'R206: a PostgreSQL that cannot be reached or used is a plain sentence and an exit code, never the password',
  async () => {
    await using server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
    await until('it listens', () => server.listening)
    const { port } = server.address() as AddressInfo
    await using database = await testPostgres()
    const absent = new URL(database!.url)
    absent.pathname = '/no_such_database'
    const urls = ['postgresql://me:CANARY-1@127.0.0.1:9/x', `postgresql://me:CANARY-1@127.0.0.1:${port}/x`, absent.href]
    const sentences = await Promise.all(urls.map((url) => refusal(['--port', '0'], { META_MCP_DATABASE_URL: url })))
    expect(sentences[0]).toMatch(/PostgreSQL at 127\.0\.0\.1:9, database x, cannot be used: nothing listens there/)
    expect(sentences[1]).toMatch(/cannot be used/)
    expect(sentences[2]).toMatch(/there is no such database/)
    expect(sentences.join('')).not.toContain('CANARY')
    await administer(database!.url, 'select 1')
  },
)

test('R200, R201: a bad or taken port and an address that is not allowed are refused by name', async () => {
  await using taken = createServer().listen(0, '127.0.0.1')
  await until('it listens', () => taken.listening)
  const { port } = taken.address() as AddressInfo
  const [used, bad, host, unknown] = await Promise.all([
    // What the first start has made is shown all the same: there is no second first start.
    refusal([], { META_MCP_PORT: String(port) }, /^\{.*"made at the first start".*\}\n$/),
    refusal([], { META_MCP_PORT: 'eighty' }),
    refusal([], { META_MCP_HOST: 'everywhere', META_MCP_PORT: '0' }),
    refusal([], { META_MCP_PROT: '1', META_MCP_LOGGING_LEVEL: 'LOUD' }),
  ])
  expect(used).toContain(`The port ${port} of 127.0.0.1 is in use by another program`)
  expect(bad).toContain('META_MCP_PORT')
  expect(host).toContain('META_MCP_HOST: must be an IP address or localhost')
  expect(unknown).toMatch(/META_MCP_PROT.*META_MCP_PORT/s)
  expect(unknown).toContain('META_MCP_LOGGING_LEVEL')
})

test('R017, R100, R200, R210: it starts with nothing else around, listens where it is told, and each line on stderr is JSON', async () => {
  await using directory = await newDirectory()
  await using gateway = await startGatewayChild({
    directory: directory.path,
    file: {
      servers: {
        everything: { ...realServers.everything(), env: { MY_TOKEN: 'CANARY-1' } },
        absent: { command: 'no-such-command' },
      },
    },
    env: {
      META_MCP_HOST: '127.0.0.2',
      META_MCP_LOGGING_LEVEL: 'DEBUG',
      META_MCP_SECRET_KEY: 'CANARY-2-long-enough-to-be-taken-7f3a9',
    },
  })
  expect(new URL(gateway.url).hostname).toBe('127.0.0.2')
  await gateway.api.online('everything')
  await gateway.api.execute('everything__echo', { message: 'x' })
  gateway.signal('SIGTERM')
  expect(await gateway.exited).toBe(0)
  const lines = gateway.log().trim().split('\n')
  expect(lines.length).toBeGreaterThan(5)
  for (const line of lines)
    expect(JSON.parse(line)).toMatchObject({
      level: expect.any(String),
      time: expect.any(String),
      msg: expect.any(String),
    })
  expect(gateway.log()).not.toContain('CANARY')
})

const echo = (id: number) =>
  JSON.stringify({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name: 'everything__echo', arguments: { message: 'x' } },
  })

const addServer = ({ api }: GatewayChild, name: string, url: string) =>
  api.send('POST', 'proxy/servers', { name, url, start: 'eager' })

const countTools = async ({ api }: GatewayChild) => (await api.send<{ total: number }>('GET', 'tools')).body.total

async function untilRefused({ api }: GatewayChild, name: string): Promise<void> {
  await until(`${name} is refused`, async () => {
    const { body } = await api.send<{ status_reason: string }>('GET', `proxy/servers/${name}`)
    return body.status_reason.includes('the gateway itself')
  })
}

test('R039, R120: a stdio client that is attached goes on after the gateway was restarted', async () => {
  await using directory = await newDirectory()
  const options = { directory: directory.path, file: { servers: { everything: realServers.everything() } } }
  const said: JsonObject[] = []
  const answer = async (id: number): Promise<unknown> => {
    await until(`answer ${id}`, () => said.some((each) => each['id'] === id))
    return said.find((each) => each['id'] === id)
  }
  const echoed = { result: { content: [{ text: 'Echo: x' }] } }
  await using first = await startGatewayChild(options)
  const port = Number(new URL(first.url).port)
  await first.api.online('everything')
  await using pipe = bridgePipe(first.mcp)
  pipe.onMessage = (line) => void said.push(JSON.parse(line) as JsonObject)
  const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } }
  pipe.send(JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: hello }))
  await answer(0)
  pipe.send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }))
  pipe.send(echo(1))
  expect(await answer(1)).toMatchObject(echoed)
  await first[Symbol.asyncDispose]()
  pipe.send(echo(2))
  expect(await answer(2)).toMatchObject({ error: { code: -31503 } })
  await using second = await startGatewayChild({ ...options, port })
  expect(second.url).toBe(first.url)
  await second.api.online('everything')
  for (const id of [3, 4, 5]) pipe.send(echo(id))
  for (const id of [3, 4, 5]) expect(await answer(id)).toMatchObject(echoed)
  expect(said.filter((each) => each['method'] === 'notifications/tools/list_changed')).toHaveLength(1)
})

test('R120: a gateway never becomes its own server, neither directly nor by way of another', async () => {
  await using here = await newDirectory()
  await using there = await newDirectory()
  const file = { servers: { everything: realServers.everything() } }
  await using first = await startGatewayChild({ directory: here.path, file })
  await using second = await startGatewayChild({ directory: there.path })
  await first.api.online('everything')
  await addServer(first, 'self', first.mcp)
  await untilRefused(first, 'self')
  await addServer(second, 'other', first.mcp)
  await second.api.online('other')
  await addServer(first, 'back', second.mcp)
  await untilRefused(first, 'back')
  expect(await countTools(second)).toBe(await countTools(first))
})

test('R200: without a running gateway `metamcp stdio` is one itself and leaves with its input', async () => {
  await using directory = await newDirectory()
  const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } }
  const stdin = `${JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: hello })}\n`
  const { code, stdout } = await runProcess(['stdio', '--data-dir', directory.path], { stdin })
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ id: 0, result: { protocolVersion: '2025-11-25' } })
})
