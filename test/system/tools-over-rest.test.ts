import { expect, test } from 'vitest'
import type { Tool, ToolDetails } from '#contract/tool'
import { legacyClient, type Listed } from '../conformance/downstream-client.ts'
import { realServers } from '../support/real-servers.ts'
import { startBackend } from '../support/recording-backend.ts'
import { startTestApp, type TestApp } from '../support/test-app.ts'

/** What an MCP client sees at an endpoint. */
async function listed(gateway: TestApp, path = ''): Promise<Map<string, Listed & { description?: string }>> {
  const client = await legacyClient(`${gateway.listening.mcp}${path}`)
  try {
    const { tools } = (await client.request('tools/list', {})) as { tools: Listed[] }
    return new Map(tools.map((tool) => [tool.name, tool]))
  } finally {
    await client.close()
  }
}

async function callOverMcp(gateway: TestApp, name: string, args: Record<string, unknown>, path = '') {
  const client = await legacyClient(`${gateway.listening.mcp}${path}`)
  try {
    return await client.request('tools/call', { name, arguments: args })
  } finally {
    await client.close()
  }
}

const toolOf = async ({ api }: TestApp, name: string) =>
  (await api.send<ToolDetails>('GET', `tools/${encodeURIComponent(name)}`)).body

test('R045, R050, R130: a tool lives from registration to deletion, and its name is free afterwards for the same name over MCP', async () => {
  await using backend = await startBackend()
  await using gateway = await startTestApp()
  const { api } = gateway
  backend.on('/one', '{"from":1}')
  backend.on('/two', '{"from":2}')
  for (const path of ['/one', '/two', '/one']) {
    const registered = await api.send('POST', 'tools', {
      name: 'weather',
      description: path,
      endpoint: backend.url + path,
    })
    expect(registered.status).toBe(201)
    expect(await toolOf(gateway, 'weather')).toMatchObject({
      name: 'weather',
      exposed_name: 'weather',
      description: path,
      kind: 'http',
    })
    expect((await listed(gateway)).get('weather')?.description).toBe(path)
    expect((await callOverMcp(gateway, 'weather', {}))['structuredContent']).toEqual({ from: path === '/one' ? 1 : 2 })
    const changed = await api.send('PUT', 'tools/weather', { description: 'changed', endpoint: `${backend.url}/two` })
    expect(changed.body).toMatchObject({ description: 'changed' })
    expect((await api.execute('weather')).body.result.structuredContent).toEqual({ from: 2 })
    expect((await api.send('DELETE', 'tools/weather')).status).toBe(204)
    const count = backend.seen.length
    for (const gone of [
      await api.execute('weather'),
      await api.send('GET', 'tools/weather'),
      await api.send('DELETE', 'tools/weather'),
    ]) {
      expect([gone.status, gone.body['error' as never]]).toEqual([404, 'tool_not_found'])
    }
    await expect(callOverMcp(gateway, 'weather', {})).rejects.toThrow(/Unknown tool: weather/)
    expect(backend.seen).toHaveLength(count)
  }
})

test('R050: of many registrations of one name at once exactly one is accepted', async () => {
  await using gateway = await startTestApp()
  const tool = { name: 'same', description: 'd', endpoint: 'http://127.0.0.1:9/x' }
  const server = { name: 'same', url: 'http://127.0.0.1:9/mcp', enabled: false }
  const namespace = { name: 'same' }
  for (const [path, body] of Object.entries({ tools: tool, 'proxy/servers': server, namespaces: namespace })) {
    const replies = await Promise.all(Array.from({ length: 25 }, () => gateway.api.send('POST', path, body)))
    expect(
      replies.filter(({ status }) => status === 201),
      path,
    ).toHaveLength(1)
    expect(
      replies.filter(({ status, body: { error } }) => status === 409 && error === 'conflict'),
      path,
    ).toHaveLength(24)
  }
  expect((await gateway.api.send('GET', 'tools')).body).toMatchObject({ total: 1 })
})

test('R036: names with slashes, dots, percent signs, blanks and any script are found, called and deleted', async () => {
  await using backend = await startBackend()
  await using gateway = await startTestApp()
  backend.on('/x', '{}')
  for (const name of [
    'a/b',
    'v1.2',
    '50%',
    '%2F',
    'grüße 世界',
    'a?b#c',
    'it\'s "quoted"',
    '__proto__',
    'constructor',
    '-',
  ]) {
    const { status } = await gateway.api.send('POST', 'tools', { name, description: 'd', endpoint: `${backend.url}/x` })
    expect(status, name).toBe(201)
    expect((await toolOf(gateway, name)).name).toBe(name)
    expect((await gateway.api.execute(name)).status, name).toBe(200)
    const { exposed_name: exposed } = await toolOf(gateway, name)
    expect(exposed).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
    expect(await callOverMcp(gateway, exposed, {}), name).toMatchObject({ structuredContent: {} })
    expect((await gateway.api.send('DELETE', `tools/${encodeURIComponent(name)}`)).status).toBe(204)
    expect((await gateway.api.send('GET', `tools/${encodeURIComponent(name)}`)).status).toBe(404)
  }
  expect(backend.seen).toHaveLength(20)
})

test('R035: the list of tools has pages without gap or repetition, and filters', async () => {
  await using gateway = await startTestApp({ file: { servers: { everything: realServers.everything() } } })
  const { api } = gateway
  await api.online('everything')
  for (const n of [1, 2, 3]) {
    const body = {
      name: `t${n}`,
      description: `number ${n}`,
      endpoint: 'http://127.0.0.1:9',
      category: n === 2 ? 'even' : 'odd',
      tags: [`tag${n}`],
    }
    expect((await api.send('POST', 'tools', body)).status).toBe(201)
  }
  const page = async (query: string) =>
    (await api.send<{ tools: Tool[]; total: number; limit: number; offset: number }>('GET', `tools?${query}`)).body
  const whole = await page('limit=1000')
  const names: string[] = []
  for (let offset = 0; offset < whole.total; offset += 7) {
    const part = await page(`limit=7&offset=${offset}`)
    expect(part).toMatchObject({ total: whole.total, limit: 7, offset })
    names.push(...part.tools.map(({ name }) => name))
  }
  expect(names).toEqual(whole.tools.map(({ name }) => name))
  const filtered = async (query: string) => (await page(query)).tools.map(({ name }) => name)
  expect(await filtered('category=odd')).toEqual(['t1', 't3'])
  expect(await filtered('tag=tag2')).toEqual(['t2'])
  expect(await filtered('server=http')).toEqual(['t1', 't2', 't3'])
  expect(await filtered('q=NUMBER%203')).toEqual(['t3'])
  expect((await filtered('server=everything')).length).toBe(whole.total - 3)
  for (const query of ['limit=0', 'limit=1001', 'offset=-1', 'limit=x', 'colour=red']) {
    expect((await api.send('GET', `tools?${query}`)).status, query).toBe(422)
  }
})

test('R045: an MCP tool is renamed, described anew and disabled over REST, as MCP clients see it, also after a restart', async () => {
  await using first = await startTestApp({ file: { servers: { everything: realServers.everything() } } })
  const { directory } = first
  await first.api.online('everything')
  const { id } = await toolOf(first, 'everything__echo')
  const change = { name: 'say', description: 'Says it again', category: 'talk', tags: ['a'] }
  expect((await first.api.send('PUT', 'tools/everything__echo', change)).status).toBe(200)
  expect((await first.api.send('PUT', 'tools/everything__get-sum', { enabled: false })).status).toBe(200)
  const check = async (gateway: TestApp) => {
    const tools = await listed(gateway)
    expect(tools.get('say')?.description).toBe('Says it again')
    expect(tools.has('everything__echo')).toBe(false)
    expect(tools.has('everything__get-sum')).toBe(false)
    expect(await callOverMcp(gateway, 'say', { message: 'x' })).toMatchObject({ content: [{ text: 'Echo: x' }] })
    expect(await toolOf(gateway, 'say')).toMatchObject({
      id,
      original_name: 'echo',
      server: 'everything',
      category: 'talk',
      tags: ['a'],
    })
    expect((await gateway.api.execute('everything__get-sum', { a: 1, b: 2 })).body.error).toBe('tool_not_found')
    await expect(callOverMcp(gateway, 'everything__get-sum', { a: 1, b: 2 })).rejects.toThrow(/Unknown tool/)
  }
  await check(first)
  await first.app.close()
  await using second = await startTestApp({ file: { servers: { everything: realServers.everything() } }, directory })
  await second.api.online('everything')
  await check(second)
  expect((await second.api.send('PUT', 'tools/say', { name: 'everything__get-tiny-image' })).status).toBe(409)
  expect((await second.api.send('PUT', 'tools/say', { input_schema: { type: 'object' } })).status).toBe(422)
  expect((await second.api.send('DELETE', 'tools/say')).status).toBe(409)
  expect((await second.api.send('PUT', 'tools/everything__get-sum', { enabled: true })).status).toBe(200)
  expect((await listed(second)).has('everything__get-sum')).toBe(true)
})

test('R045: namespaces are made, changed and taken away while the gateway runs, and are served at /mcp/{name}', async () => {
  await using gateway = await startTestApp({ file: { servers: { everything: realServers.everything() } } })
  const { api } = gateway
  await api.online('everything')
  await api.send('POST', 'tools', { name: 'other', description: 'd', endpoint: 'http://127.0.0.1:9' })
  const names = async (path: string) => [...(await listed(gateway, path)).keys()].toSorted()
  const created = await api.send('POST', 'namespaces', {
    name: 'dev',
    servers: ['everything'],
    tools: { include: ['everything__get-*', '*echo'], exclude: ['*-image', '*env*'] },
    overrides: { everything__echo: { name: 'say', description: 'Only here' } },
  })
  expect([created.status, created.body['endpoint']]).toEqual([201, '/mcp/dev'])
  const shown = await names('/dev')
  expect(shown).toContain('everything__get-sum')
  expect(shown).toContain('say')
  expect(shown.some((name) => /-image$|env|^other$|__echo$/.test(name))).toBe(false)
  expect((await listed(gateway, '/dev')).get('say')?.description).toBe('Only here')
  expect((await listed(gateway)).get('everything__echo')?.description).not.toBe('Only here')
  expect(await callOverMcp(gateway, 'say', { message: 'x' }, '/dev')).toMatchObject({ content: [{ text: 'Echo: x' }] })
  for (const hidden of ['other', 'everything__get-env', 'everything__echo']) {
    await expect(callOverMcp(gateway, hidden, { message: 'x' }, '/dev')).rejects.toThrow(/Unknown tool/)
  }
  expect((await api.send('PUT', 'namespaces/dev', { tools: { include: ['other'] } })).body).toMatchObject({
    servers: null,
    tool_count: 1,
  })
  expect(await names('/dev')).toEqual(['other'])
  expect((await api.send('DELETE', 'namespaces/dev')).status).toBe(204)
  expect((await api.send('GET', 'namespaces/dev')).status).toBe(404)
  await expect(listed(gateway, '/dev')).rejects.toThrow()
})

test('R001: in a namespace two tools never share a name in silence', async () => {
  await using gateway = await startTestApp({ file: { servers: { everything: realServers.everything() } } })
  await gateway.api.online('everything')
  const overrides = { everything__echo: { name: 'same' }, 'everything__get-sum': { name: 'same' } }
  await gateway.api.send('POST', 'namespaces', { name: 'dev', overrides })
  const { body } = await gateway.api.send<{ total: number }>('GET', 'tools?namespace=dev')
  const shown = await listed(gateway, '/dev')
  expect(shown.size).toBe(body.total)
  const [suffixed] = [...shown.keys()].filter((name) => name.startsWith('same_'))
  expect(await callOverMcp(gateway, 'same', { message: 'x' }, '/dev')).toMatchObject({ content: [{ text: 'Echo: x' }] })
  const sum = await callOverMcp(gateway, suffixed!, { a: 1, b: 2 }, '/dev')
  expect(JSON.stringify(sum)).toContain('3')
})

test('R004, R050: a tool that is registered over REST may say where its arguments go, and change that', async () => {
  await using backend = await startBackend()
  await using gateway = await startTestApp()
  backend.on('/m', '{}')
  const body = { name: 'm', description: 'd', endpoint: `${backend.url}/m`, mapping: { lang: 'header', page: 'query' } }
  expect((await gateway.api.send('POST', 'tools', body)).status).toBe(201)
  expect((await toolOf(gateway, 'm')).mapping).toEqual(body.mapping)
  await gateway.api.execute('m', { lang: 'de', page: 2, rest: true })
  expect(backend.seen[0]).toMatchObject({ headers: { lang: 'de' }, query: 'page=2', body: '{"rest":true}' })
  await gateway.api.send('PUT', 'tools/m', { mapping: {} })
  await gateway.api.execute('m', { page: 2 })
  expect(backend.seen[1]).toMatchObject({ query: '', body: '{"page":2}' })
  expect((await gateway.api.send('PUT', 'tools/m', { mapping: { page: 'cookie' } })).status).toBe(422)
})
