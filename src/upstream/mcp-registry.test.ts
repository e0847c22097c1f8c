import { describe, expect, test } from 'vitest'
import { httpServer, json, workshop, type Answer } from '../../test/support/discovery-workshop.ts'
import type { FoundServer } from './found-server.ts'

const entry = (name: string, more: object, status = 'active') => ({
  server: { name, description: `About ${name}`, version: '1.0.0', ...more },
  _meta: { 'io.modelcontextprotocol.registry/official': { status, isLatest: true } },
})
const npm = (more: object = {}) => ({
  packages: [
    { registryType: 'npm', identifier: '@scope/pkg', version: '1.2.3', transport: { type: 'stdio' }, ...more },
  ],
})
const remote = (more: object = {}) => ({
  remotes: [{ type: 'streamable-http', url: 'https://api.example.com/mcp', ...more }],
})

async function finding(servers: readonly object[], options = { isConfigured: true }): Promise<FoundServer[]> {
  await using registry = await httpServer((_body, _request, response) => json(response, { servers, metadata: {} }))
  using shop = workshop()
  return await shop.discovery.find({ kind: 'registry', url: registry.url }, options)
}

describe('servers of an MCP registry (R002, R123)', () => {
  test('an open remote address is preferred, an npm package of an exact version is the second choice', async () => {
    expect(
      await finding([entry('io.example/both', { ...npm(), ...remote() }), entry('io.example/local', npm())]),
    ).toEqual([
      {
        name: 'io.example-both',
        description: 'About io.example/both',
        connection: { kind: 'http', url: 'https://api.example.com/mcp', headers: {}, transport: 'streamable-http' },
      },
      {
        name: 'io.example-local',
        description: 'About io.example/local',
        connection: { kind: 'stdio', command: 'npx', args: ['-y', '@scope/pkg@1.2.3'], env: {} },
      },
    ])
  })

  test('declared arguments, settings and headers are taken where their values are known', async () => {
    const found = await finding([
      entry(
        'a/args',
        npm({
          packageArguments: [
            { type: 'positional', value: 'stdio' },
            { type: 'named', name: '--port', default: '1' },
            { type: 'named', name: '--optional' },
            { type: 'positional', value: '{dir}', default: '/data; id' },
          ],
          environmentVariables: [{ name: 'MODE', value: 'ro' }, { name: 'TOKEN' }],
        }),
      ),
      entry(
        'a/headers',
        remote({ type: 'sse', headers: [{ name: 'X-Mode', value: 'ro', isRequired: true }, { name: 'X-Opt' }] }),
      ),
    ])
    expect(found.map(({ connection }) => connection)).toEqual([
      {
        kind: 'stdio',
        command: 'npx',
        args: ['-y', '@scope/pkg@1.2.3', 'stdio', '--port', '1', '/data; id'],
        env: { MODE: 'ro' },
      },
      { kind: 'http', url: 'https://api.example.com/mcp', headers: { 'X-Mode': 'ro' }, transport: 'sse' },
    ])
  })

  test.each([
    [
      'a remote that needs a secret',
      remote({ headers: [{ name: 'Authorization', isRequired: true, isSecret: true }] }),
    ],
    ['a remote whose address has places', remote({ url: 'https://{tenant}.example.com/mcp' })],
    ['a range of versions', npm({ version: '^1.0.0' })],
    ['the latest version', npm({ version: 'latest' })],
    ['no version', npm({ version: undefined })],
    ['a package by address', npm({ identifier: 'https://evil/x.tgz' })],
    ['a package that is an option', npm({ identifier: '-c' })],
    ['a package of another registry', npm({ registryBaseUrl: 'https://evil.example' })],
    ['arguments for npx itself', npm({ runtimeArguments: [{ type: 'named', name: '-c', value: 'id' }] })],
    ['a required setting without value', npm({ environmentVariables: [{ name: 'TOKEN', isRequired: true }] })],
    ['a required argument without value', npm({ packageArguments: [{ type: 'positional', isRequired: true }] })],
    ['another runtime', npm({ runtimeHint: 'bash' })],
    ['another kind of package', npm({ registryType: 'pypi' })],
  ])('%s is reported as unusable', async (_what, more) => {
    const [found] = await finding([entry('a/b', more)])
    expect(found).toMatchObject({ name: 'a-b', refused: expect.stringContaining('neither') as string })
    expect(found?.connection).toBeUndefined()
  })

  test.each([
    ['leads inside', remote({ url: 'http://169.254.169.254/mcp' })],
    ['changes what is loaded', npm({ environmentVariables: [{ name: 'NODE_OPTIONS', value: '--import=x' }] })],
    ['starts a shell', npm({ packageArguments: [{ type: 'positional', value: 'bash' }] })],
  ])('the rules of registration hold for what a registry says: it %s', async (_what, more) => {
    expect(await finding([entry('a/b', more)])).toMatchObject([{ refused: expect.any(String) as string }])
  })

  test('withdrawn servers, old versions and entries of another shape are left out', async () => {
    const old = {
      ...entry('a/old', npm()),
      _meta: { 'io.modelcontextprotocol.registry/official': { isLatest: false } },
    }
    const servers = [entry('a/gone', npm(), 'deleted'), entry('a/poor', npm(), 'deprecated'), old, { odd: 1 }]
    expect(await finding([...servers, entry('a/good', npm())])).toMatchObject([{ name: 'a-good' }])
  })

  test('pages are read to the end, within bounds', async () => {
    await using registry = await httpServer((_body, request, response) => {
      const cursor = Number(new URL(request.url ?? '', 'http://x').searchParams.get('cursor') ?? 0)
      json(response, { servers: [entry(`a/s${cursor}`, npm())], metadata: { nextCursor: String(cursor + 1) } })
    })
    using shop = workshop()
    const source = { kind: 'registry', url: `${registry.url}/sub/`, search: 'a b' } as const
    expect(await shop.discovery.find(source, { isConfigured: true })).toHaveLength(10)
    expect(registry.seen.slice(0, 2).map(({ url }) => url)).toEqual([
      '/sub/v0.1/servers?limit=100&version=latest&search=a+b',
      '/sub/v0.1/servers?limit=100&version=latest&search=a+b&cursor=1',
    ])
  })

  test('a registry that somebody asks for is judged like any address, one of the configuration is not', async () => {
    await using registry = await httpServer((_body, _request, response) => json(response, { servers: [] }))
    using shop = workshop({ isLoopbackOnly: false })
    const source = { kind: 'registry', url: registry.url } as const
    await expect(shop.discovery.find(source)).rejects.toMatchObject({ code: 'policy_violation' })
    expect(registry.seen).toEqual([])
    expect(await shop.discovery.find(source, { isConfigured: true })).toEqual([])
  })

  test.each<[string, Answer, string]>([
    ['an error', (_b, _r, response) => void response.writeHead(500).end(), 'upstream_unavailable'],
    [
      'a redirect',
      (_b, _r, response) => void response.writeHead(302, { location: '/x' }).end(),
      'upstream_unavailable',
    ],
    ['a page', (_b, _r, response) => void response.end('<html>'), 'upstream_protocol_error'],
    ['something else', (_b, _r, response) => json(response, { tools: [] }), 'upstream_protocol_error'],
  ])('a registry that answers with %s is no empty registry', async (_what, answer, code) => {
    await using registry = await httpServer(answer)
    using shop = workshop()
    const found = shop.discovery.find({ kind: 'registry', url: registry.url }, { isConfigured: true })
    await expect(found).rejects.toMatchObject({ code })
  })
})
