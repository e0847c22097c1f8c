import { expect, test } from 'vitest'
import { legacyRaw, modernRaw, type RawClient } from '../support/raw-clients.ts'
import { startBackend } from '../support/recording-backend.ts'
import { realServers } from '../support/real-servers.ts'
import { startTestApp } from '../support/test-app.ts'

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
