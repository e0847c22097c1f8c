import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Server, ServerDetails } from '#contract/server'
import type { Tool } from '#contract/tool'
import { newDirectory, startTestApp, type TestApp } from '../support/test-app.ts'
import { realServers } from '../support/real-servers.ts'
import { startFixture } from '../support/fixture/start-fixture.ts'
import { DEAD_URL } from '../support/recording-backend.ts'
import { until } from '../support/until.ts'

async function toolsOf({ api }: TestApp, query = ''): Promise<readonly Tool[]> {
  const { body } = await api.send<{ tools: Tool[] }>('GET', `tools?limit=1000${query}`)
  return body.tools
}

const serverOf = async ({ api }: TestApp, name: string) =>
  (await api.send<ServerDetails>('GET', `proxy/servers/${name}`)).body

const entry = (place: { path: string }, prefix?: string) => ({
  ...realServers.files(place.path),
  ...(prefix === undefined ? {} : { prefix }),
})

const canary = (place: string) => `CANARY-${place}-7f3a9`

test('R001, R043, R044, R045: registered servers show the union of their tools, each with its server, and calls reach the right one', async () => {
  await using directory = await newDirectory()
  await using gateway = await startTestApp()
  const { api } = gateway
  const memory = realServers.memory(join(directory.path, 'memory.jsonl'))
  for (const [name, entry] of Object.entries({ files: realServers.files(directory.path), memory })) {
    const reply = await api.send('POST', 'proxy/servers', { name, ...entry })
    expect(reply.status).toBe(201)
    expect(reply.body).toMatchObject({ name, origin: 'api', enabled: true })
  }
  await api.online('files', 'memory')
  const tools = await toolsOf(gateway)
  const { body } = await api.send<{ servers: Server[]; total: number }>('GET', 'proxy/servers')
  expect(body.total).toBe(2)
  for (const { name, status, tool_count: count, transport } of body.servers) {
    expect([status, transport]).toEqual(['online', 'stdio'])
    expect(count).toBe(tools.filter(({ server }) => server === name).length)
    expect(count).toBeGreaterThan(5)
  }
  await api.execute('memory__create_entities', {
    entities: [{ name: 'Ada', entityType: 'person', observations: ['counts'] }],
  })
  await api.execute('files__write_file', { path: join(directory.path, 'a.txt'), content: 'to the file' })
  expect((await api.execute('memory__read_graph')).text).toContain('Ada')
  const read = await api.execute('files__read_text_file', { path: join(directory.path, 'a.txt') })
  expect(read.body).toMatchObject({
    server: 'files',
    status: 'success',
    result: { content: [{ text: 'to the file' }] },
  })
})

test('R001: one tool name on two servers leads to each of them, whatever their prefixes', async () => {
  await using one = await newDirectory()
  await using two = await newDirectory()
  await using three = await newDirectory()
  await using gateway = await startTestApp({
    file: { servers: { one: entry(one), two: entry(two, ''), three: entry(three, '') } },
  })
  await gateway.api.online('one', 'two', 'three')
  const same = (await toolsOf(gateway)).filter((tool) => tool.original_name === 'list_allowed_directories')
  expect(new Set(same.map(({ name }) => name)).size).toBe(3)
  const places = { one: one.path, two: two.path, three: three.path }
  for (const { name, server } of same) {
    const { body, text } = await gateway.api.execute(name)
    expect(body.server).toBe(server)
    expect(text).toContain(places[server as keyof typeof places])
  }
  expect(gateway.log.join('')).toMatch(/list_allowed_directories/)
})

test('R120: a server over HTTP is added, disabled, enabled, restarted and removed while the gateway runs', async () => {
  await using fixture = await startFixture({ era: 'both' })
  await using gateway = await startTestApp()
  const { api } = gateway
  await api.send('POST', 'proxy/servers', { name: 'fix', url: fixture.url, start: 'eager' })
  await api.online('fix')
  expect(await serverOf(gateway, 'fix')).toMatchObject({ transport: 'streamable-http', era: 'modern' })
  expect((await api.send('PATCH', 'proxy/servers/fix', { enabled: false })).body).toMatchObject({ status: 'disabled' })
  expect(await toolsOf(gateway)).toEqual([])
  await api.send('PATCH', 'proxy/servers/fix', { enabled: true })
  await api.online('fix')
  expect((await api.send('POST', 'proxy/servers/fix/restart')).body).toMatchObject({ status: 'online' })
  const { server_id: id, tools } = await serverOf(gateway, 'fix')
  expect(tools.length).toBeGreaterThan(0)
  expect((await api.send('DELETE', `proxy/servers/${id}`)).status).toBe(204)
  expect((await api.send('GET', `proxy/servers/${id}`)).status).toBe(404)
  expect((await api.execute(tools[0]!.name)).body.error).toBe('tool_not_found')
  expect((await api.send('POST', 'proxy/servers', { name: 'fix', url: fixture.url, start: 'eager' })).status).toBe(201)
  await api.online('fix')
  expect((await toolsOf(gateway)).map(({ name }) => name)).toContain(tools[0]!.name)
})

test('R043, R044: a server that cannot be reached says why in plain words and when the next try is', async () => {
  await using gateway = await startTestApp({
    file: { servers: { dead: { url: `${DEAD_URL}/mcp` }, absent: { command: 'no-such-command-here' } } },
  })
  await until('both are down', async () => {
    const states = await Promise.all(['dead', 'absent'].map((name) => serverOf(gateway, name)))
    return states.every(({ status }) => status === 'offline' || status === 'degraded')
  })
  const dead = await serverOf(gateway, 'dead')
  expect(`${dead.status_reason} ${dead.last_error}`).toMatch(/refused/i)
  expect(Date.parse(dead.next_retry_at ?? '')).toBeGreaterThan(Date.now() - 60_000)
  const absent = await serverOf(gateway, 'absent')
  expect(`${absent.status_reason} ${absent.last_error}`).toMatch(/no-such-command-here/)
})

test('R044, R100: secrets of servers and tools are in no answer and in no log line', async () => {
  await using gateway = await startTestApp()
  const { api } = gateway
  const replies: { readonly status: number; readonly text: string }[] = [
    await api.send('POST', 'proxy/servers', {
      name: 'child',
      ...realServers.everything(),
      env: { MY_API_KEY: canary('env') },
    }),
    await api.send('POST', 'proxy/servers', {
      name: 'remote',
      url: `${DEAD_URL}/mcp?token=${canary('query')}`,
      headers: { Authorization: `Bearer ${canary('header')}`, 'X-Custom': canary('custom') },
    }),
    await api.send('POST', 'tools', {
      name: 'tool',
      description: 'd',
      endpoint: `${DEAD_URL}/x?api_key=${canary('endpoint')}`,
      headers: { 'X-Key': canary('tool') },
    }),
  ]
  expect(replies.map(({ status }) => status)).toEqual([201, 201, 201])
  await api.online('child')
  await until('the remote is down', async () => (await serverOf(gateway, 'remote')).status === 'offline')
  replies.push(await api.execute('tool', {}), await api.execute('child__echo', { message: 'x' }))
  for (const path of [
    'proxy/servers',
    'proxy/servers/child',
    'proxy/servers/remote',
    'proxy/servers/child/logs',
    'proxy/servers/remote/logs',
    'tools?limit=1000',
    'tools/tool',
    'health/detailed',
    'executions',
  ]) {
    replies.push(await api.send('GET', path))
  }
  expect(replies.map(({ text }) => text).filter((text) => text.includes('CANARY'))).toEqual([])
  expect(gateway.log.length).toBeGreaterThan(10)
  expect(gateway.log.filter((line) => line.includes('CANARY'))).toEqual([])
})
