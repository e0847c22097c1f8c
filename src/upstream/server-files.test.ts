import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { workshop } from '../../test/support/discovery-workshop.ts'

describe('servers in files (R002, R123)', () => {
  test('a list, mcpServers and servers are read, from JSON and from YAML', async () => {
    using shop = workshop()
    shop.write('list.json', [
      { name: 'files', command: 'npx', args: ['-y', '@scope/files', 7], env: { KEY: 'v' }, description: 'Files' },
    ])
    shop.write(
      'clients.yaml',
      'mcpServers:\n  remote: {url: "https://api.example.com/mcp", headers: {X-Key: 1}, type: sse}\n',
    )
    shop.write('full.yml', 'servers:\n  live: {url: "wss://api.example.com/ws"}\n')
    const { discovery, path } = shop
    expect(await discovery.find({ kind: 'file', path: path('list.json') })).toEqual([
      {
        name: 'files',
        description: 'Files',
        connection: { kind: 'stdio', command: 'npx', args: ['-y', '@scope/files', '7'], env: { KEY: 'v' } },
      },
    ])
    expect(await discovery.find({ kind: 'file', path: path('clients.yaml') })).toEqual([
      {
        name: 'remote',
        connection: { kind: 'http', url: 'https://api.example.com/mcp', headers: { 'X-Key': '1' }, transport: 'sse' },
      },
    ])
    expect(await discovery.find({ kind: 'file', path: path('full.yml') })).toMatchObject([
      { name: 'live', connection: { transport: 'websocket' } },
    ])
  })

  test('of a directory each file is read, and a broken one costs its own servers only', async () => {
    using shop = workshop()
    mkdirSync(shop.path('servers.d'))
    shop.write('servers.d/a.yaml', 'servers: {one: {url: "http://127.0.0.1:1/mcp"}}')
    shop.write('servers.d/b.json', '{"servers": {')
    shop.write('servers.d/c.json', [{ name: 'two', url: 'http://127.0.0.1:2/mcp' }])
    shop.write('servers.d/.hidden.json', [{ name: 'hidden', url: 'http://127.0.0.1:3/mcp' }])
    shop.write('servers.d/notes.txt', 'not a server')
    const found = await shop.discovery.find({ kind: 'file', path: shop.path('servers.d') })
    expect(found.map(({ name, refused }) => [name, refused])).toEqual([
      ['one', undefined],
      ['b.json', 'b.json is not valid YAML or JSON at line 1'],
      ['two', undefined],
    ])
  })

  test('an entry that a rule refuses or nobody understands is reported with the reason', async () => {
    using shop = workshop()
    shop.write('mixed.json', {
      mcpServers: {
        shell: { command: 'sh', args: ['-c', 'id'] },
        inside: { url: 'http://169.254.169.254/' },
        both: { command: 'npx', url: 'http://127.0.0.1/' },
        neither: {},
        off: { command: 'npx', args: ['-y', 'pkg'], disabled: true },
        ' odd\u0007': { url: 'http://127.0.0.1/' },
        good: { url: 'http://127.0.0.1:1/mcp' },
      },
    })
    const found = await shop.discovery.find({ kind: 'file', path: shop.path('mixed.json') })
    expect(found.map(({ name, refused }) => [name, refused])).toEqual([
      ['shell', expect.stringContaining('The command is refused')],
      ['inside', expect.stringContaining('not public')],
      ['both', expect.stringContaining('either')],
      ['neither', expect.stringContaining('either')],
      ['off', 'It is disabled there'],
      [' odd?', 'It has no usable name'],
      ['good', undefined],
    ])
  })

  test('a place of the gateway’s environment in a found file is not filled', async () => {
    using shop = workshop()
    shop.write('greedy.json', [{ name: 'greedy', url: 'https://api.example.com/', headers: { x: '${HOME}' } }])
    const [server] = await shop.discovery.find({ kind: 'file', path: shop.path('greedy.json') })
    expect(server?.connection).toMatchObject({ headers: { x: '${HOME}' } })
  })

  test('outside the allowed directories nothing is read, whatever leads there', async () => {
    using shop = workshop()
    writeFileSync(join(shop.root, 'secret.json'), '[{"name": "x", "url": "http://127.0.0.1/"}]')
    symlinkSync(join(shop.root, 'secret.json'), shop.path('link.json'))
    symlinkSync(shop.root, shop.path('up'))
    const outside = [
      '/etc/passwd',
      '/nowhere/at/all.json',
      join(shop.root, 'secret.json'),
      shop.path('link.json'),
      shop.path('up'),
      shop.path('up/secret.json'),
      shop.path('../secret.json'),
      `${shop.directory}-other/x.json`,
      'config.json',
    ]
    for (const path of outside) {
      const found = shop.discovery.find({ kind: 'file', path })
      await expect(found, path).rejects.toMatchObject({ code: 'policy_violation' })
    }
    await expect(shop.discovery.find({ kind: 'file', path: shop.path('none.json') })).rejects.toMatchObject({
      code: 'not_found',
    })
  })

  test('a directory gives nothing through links that leave it', async () => {
    using shop = workshop()
    writeFileSync(join(shop.root, 'secret.json'), '[{"name": "x", "url": "http://127.0.0.1/"}]')
    mkdirSync(shop.path('servers.d'))
    symlinkSync(join(shop.root, 'secret.json'), shop.path('servers.d/link.json'))
    const found = await shop.discovery.find({ kind: 'file', path: shop.path('servers.d') })
    expect(found).toMatchObject([{ name: 'link.json', refused: expect.stringContaining('only beside') as string }])
  })

  test.each([
    ['token.json', 'hunter2'],
    ['half.yaml', 'a: [hunter2'],
    ['other.json', '{"url": "http://hunter2/", "pid": 1}'],
    ['alias.yaml', 'a: *hunter2'],
    ['metamcp.db', '[{"name": "hunter2", "url": "http://127.0.0.1/"}]'],
  ])('what stands in a file of something else is not told: %s', async (name, content) => {
    using shop = workshop()
    shop.write(name, content)
    const found = shop.discovery.find({ kind: 'file', path: shop.path(name) })
    await expect(found).rejects.toMatchObject({
      code: 'validation_error',
      message: expect.not.stringContaining('hunter2') as string,
    })
  })
})
