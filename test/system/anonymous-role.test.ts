import { expect, test } from 'vitest'
import { legacyRaw, modernRaw, type RawClient } from '../support/raw-clients.ts'
import { startBackend } from '../support/recording-backend.ts'
import { realServers } from '../support/real-servers.ts'
import { newDirectory, startTestApp } from '../support/test-app.ts'

const VIEWER = { META_MCP_ANONYMOUS_ROLE: 'viewer', META_MCP_SEARCH_EMBEDDER: 'static' }

interface Listed {
  readonly result: { readonly [member: string]: readonly unknown[] }
}

/** What a client is told about a thing that it may not use, next to one that there is not. */
async function bothAnswers(client: RawClient, method: string, params: (name: string) => object, name: string) {
  const [hidden, unknown] = await Promise.all([
    client.call(method, params(name) as never),
    client.call(method, params(`${name}x`) as never),
  ])
  const told = ({ id: _id, ...answer }: typeof hidden, own: string): string =>
    JSON.stringify(answer).replaceAll(own, 'N')
  return [told(hidden, name), told(unknown, `${name}x`)]
}

test.each([
  ['legacy', legacyRaw],
  ['modern', modernRaw],
] as const)(
  'R062, R150, Z6 a %s client sees nothing that it may not use, and what is hidden answers as what there is not',
  async (_era, connect) => {
    await using backend = await startBackend()
    await using gateway = await startTestApp({
      env: VIEWER,
      file: {
        servers: { everything: realServers.everything() },
        tools: { lamp: { endpoint: `${backend.url}/lamp`, description: 'Switches the light' } },
        namespaces: { meta: { expose: 'search' } },
      },
    })
    await gateway.api.online('everything')
    await using client = await connect(gateway.listening.mcp)
    for (const [method, member] of [
      ['tools/list', 'tools'],
      ['prompts/list', 'prompts'],
      ['resources/list', 'resources'],
      ['resources/templates/list', 'resourceTemplates'],
    ] as const) {
      const { result } = (await client.call(method)) as unknown as Listed
      expect([method, result[member]]).toEqual([method, []])
    }
    for (const [method, params, name] of [
      ['tools/call', (name: string) => ({ name, arguments: {} }), 'lamp'],
      ['tools/call', (name: string) => ({ name, arguments: { message: 'x' } }), 'everything__echo'],
      ['prompts/get', (name: string) => ({ name }), 'everything__simple-prompt'],
      ['resources/read', (uri: string) => ({ uri }), 'demo://resource/static/document/architecture.md'],
    ] as const) {
      const [hidden, unknown] = await bothAnswers(client, method, params, name)
      expect(hidden).toBe(unknown)
      expect(hidden).toContain('error')
    }
    expect(backend.seen).toEqual([])

    await using asker = await connect(`${gateway.listening.mcp}/meta`)
    const found = await asker.call('tools/call', { name: 'search_tools', arguments: { query: 'switch the light' } })
    expect(JSON.stringify(found)).not.toContain('lamp')
    const [hidden, unknown] = await bothAnswers(
      asker,
      'tools/call',
      (name) => ({ name: 'call_tool', arguments: { name, arguments: {} } }),
      'lamp',
    )
    expect(hidden).toBe(unknown)
  },
)

test('R132, Z1 over REST a viewer sees tools and changes and calls nothing', async () => {
  await using backend = await startBackend()
  await using gateway = await startTestApp({
    env: VIEWER,
    file: { tools: { lamp: { endpoint: `${backend.url}/lamp`, description: 'Switches the light' } } },
  })
  const { api } = gateway
  expect((await api.send<{ total: number }>('GET', 'tools')).body.total).toBe(1)
  expect((await api.execute('lamp')).status).toBe(403)
  expect((await api.send('DELETE', 'tools/lamp')).status).toBe(403)
  expect((await api.send('POST', 'proxy/servers', { name: 'x', command: 'node' })).status).toBe(403)
  expect((await api.send<{ total: number }>('GET', 'tools')).body.total).toBe(1)
  expect(backend.seen).toEqual([])
})

test('R062, R151, Z9 a role of one’s own shows and calls exactly its tools, and its change is in force with the next call', async () => {
  await using directory = await newDirectory()
  await using backend = await startBackend()
  const tool = (path: string) => ({ endpoint: `${backend.url}${path}`, description: 'x' })
  const file = { tools: { read_note: tool('/read'), delete_note: tool('/delete'), send_mail: tool('/mail') } }
  for (const path of ['/read', '/mail']) backend.on(path, '{}')
  const password = 'correct horse battery'
  const asAdmin = await startTestApp({
    file,
    directory: directory.path,
    env: { META_MCP_ANONYMOUS_ROLE: 'admin', META_MCP_ADMIN_PASSWORD: password },
  })
  const role = { name: 'notes', permissions: ['tools:*:*note', 'roles:*'], deny: ['tools:execute:delete*'] }
  expect((await asAdmin.api.send('POST', 'roles', role)).status).toBe(201)
  await asAdmin[Symbol.asyncDispose]()
  await using gateway = await startTestApp({
    file,
    directory: directory.path,
    env: { META_MCP_ANONYMOUS_ROLE: 'notes' },
  })
  await using client = await legacyRaw(gateway.listening.mcp)
  const names = async () => {
    const { result } = (await client.call('tools/list')) as unknown as { result: { tools: { name: string }[] } }
    return result.tools.map(({ name }) => name)
  }
  expect(await names()).toEqual(['read_note'])
  expect(await client.call('tools/call', { name: 'read_note', arguments: {} })).toHaveProperty('result')
  expect(await client.call('tools/call', { name: 'delete_note', arguments: {} })).toHaveProperty('error')
  expect((await gateway.api.execute('send_mail')).status).toBe(404)
  const { permissions, deny } = { permissions: ['tools:*:send*', 'roles:*'], deny: [] }
  expect((await gateway.api.send('PUT', 'roles/notes', { permissions, deny })).status).toBe(403)
  const login = await gateway.api.send<Record<string, string>>('POST', 'auth/login', { username: 'admin', password })
  const admin = { authorization: `Bearer ${login.body['access_token']}` }
  expect((await gateway.api.send('PUT', 'roles/notes', { permissions, deny }, admin)).status).toBe(200)
  expect(await client.call('tools/call', { name: 'read_note', arguments: {} })).toHaveProperty('error')
  expect(await names()).toEqual(['send_mail'])
  expect((await gateway.api.execute('send_mail')).status).toBe(200)
  expect(backend.seen.map(({ path }) => path)).toEqual(['/read', '/mail'])
})
