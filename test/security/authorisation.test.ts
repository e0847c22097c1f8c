import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { legacyRaw, modernRaw } from '../support/raw-clients.ts'
import { realServers } from '../support/real-servers.ts'
import { openSecurityStage, type Actor, type SecurityStage } from '../support/security-stage.ts'
import { until } from '../support/until.ts'

/** Headers that differ from answer to answer; the length, because the name that was asked for is part of the body. */
const UNEQUAL = /^(?:date|content-length|x-request-id|x-ratelimit-.*)$/

let stage: SecurityStage

beforeAll(async () => {
  stage = await openSecurityStage({
    file: (backend) => {
      const tool = (path: string, more = {}) => ({ endpoint: `${backend.url}${path}`, description: 'x', ...more })
      return {
        servers: { everything: realServers.everything() },
        tools: {
          read_note: tool('/read', { annotations: { readOnlyHint: true }, tags: ['notes'], securityLevel: 1 }),
          write_note: tool('/write', { tags: ['notes'], securityLevel: 5, category: 'office' }),
          send_mail: tool('/mail', { securityLevel: 8 }),
        },
        namespaces: {
          notes: { tools: { include: ['*note'] } },
          mail: { tools: { include: ['send_mail'] } },
          meta: { expose: 'search', pinned: ['*'] },
        },
      }
    },
  })
  for (const path of ['/read', '/write', '/mail']) stage.backend.on(path, '{}')
  await stage.online('everything')
})

afterAll(() => stage[Symbol.asyncDispose]())

const made = async (name: string, permissions: readonly unknown[], deny: readonly unknown[] = []) => {
  const reply = await stage.api.send('POST', 'roles', { name, permissions, deny }, stage.admin.headers)
  expect([reply.status, reply.text]).toEqual([201, reply.text])
}

const toolsOf = async ({ headers }: Pick<Actor, 'headers'>, path = 'tools') => {
  const { body } = await stage.api.send<{ tools: { name: string; server: string }[] }>('GET', path, undefined, headers)
  return body.tools.filter(({ server }) => server === 'http').map(({ name }) => name)
}

const listedAt = async (mcp: string, { headers }: Pick<Actor, 'headers'>) => {
  await using client = await legacyRaw(mcp, { headers })
  const { result } = (await client.call('tools/list')) as unknown as { result: { tools: { name: string }[] } }
  return result.tools.map(({ name }) => name)
}

/** R151, R152: over REST as over MCP a role has exactly what it names, down to the single thing. */
describe('Z1, Z6, R151, R152 what a role of one’s own names', () => {
  test('is all that lists, details, searches, calls and changes of tools know', async () => {
    await made('notes', ['tools:*:*note'])
    const ann = await stage.join('notes')
    expect(await toolsOf(ann)).toEqual(['read_note', 'write_note'])
    expect(await toolsOf(ann, 'tools?namespace=mail')).toEqual([])
    expect(await toolsOf(ann, 'tools/search?q=send_mail')).not.toContain('send_mail')
    expect(await listedAt(stage.mcp, ann)).toEqual(['read_note', 'write_note'])
    expect((await stage.api.execute('read_note', {}, ann.headers)).status).toBe(200)
    const before = stage.backend.seen.length
    for (const [method, path, body] of [
      ['GET', 'tools/NAME', undefined],
      ['GET', 'tools/NAME/stats', undefined],
      ['PUT', 'tools/NAME', { description: 'mine' }],
      ['DELETE', 'tools/NAME', undefined],
      ['POST', 'tools/NAME/execute', {}],
    ] as const) {
      const told = async (name: string) => {
        const { status, text, headers } = await stage.api.send(method, path.replace('NAME', name), body, ann.headers)
        const kept = [...headers].filter(([key]) => !UNEQUAL.test(key))
        return [status, text.replaceAll(name, 'N').replace(/"timestamp":"[^"]*"/, ''), kept]
      }
      const hidden = await told('send_mail')
      expect(hidden).toEqual(await told('send_wind'))
      expect([path, hidden[0]]).toEqual([path, 404])
    }
    expect(stage.backend.seen.length).toBe(before)
  })

  test('is all that it changes: no rename, no lower level leads out of it', async () => {
    await made('low', [
      { permission: 'tools:*', when: { max_security_level: 5 } },
      'tools:create:my_*',
      'servers:update:mine*',
      'servers:read',
      'namespaces:read',
      'namespaces:*:my-*',
    ])
    const bob = await stage.join('low')
    const status = async (...request: Parameters<typeof stage.api.send>) => {
      const [method, path, body] = request
      return (await stage.api.send(method, path, body, bob.headers)).status
    }
    const draft = { description: 'x', endpoint: `${stage.backend.url}/read` }
    expect(await status('PUT', 'tools/write_note', { description: 'y' })).toBe(200)
    expect(await status('PUT', 'tools/write_note', { security_level: 6 })).toBe(403)
    expect(await status('PUT', 'tools/send_mail', { security_level: 1 })).toBe(404)
    expect(await status('POST', 'tools', { ...draft, name: 'my_high', security_level: 9 })).toBe(201)
    expect(await status('POST', 'tools', { ...draft, name: 'their_high', security_level: 9 })).toBe(403)
    expect(await status('POST', 'tools', { ...draft, name: 'their_low', security_level: 5 })).toBe(201)
    expect(await status('PATCH', 'proxy/servers/everything', { description: 'mine now' })).toBe(403)
    expect(await status('DELETE', 'proxy/servers/everything')).toBe(403)
    await made('cleaner', ['tools:read', 'tools:delete:my_*'])
    const cleaner = await stage.join('cleaner')
    const remove = async (name: string) =>
      (await stage.api.send('DELETE', `tools/${name}`, undefined, cleaner.headers)).status
    expect([await remove('their_low'), await remove('my_high')]).toEqual([403, 204])
    expect(await status('POST', 'namespaces', { name: 'theirs' })).toBe(403)
    expect(await status('POST', 'namespaces', { name: 'my-own' })).toBe(201)
    expect(await status('PUT', 'namespaces/my-own', { name: 'theirs' })).toBe(403)
    expect(await status('DELETE', 'namespaces/notes')).toBe(403)
    expect(await status('DELETE', 'namespaces/my-own')).toBe(204)
  })

  test('and conditions hold for lists and calls alike', async () => {
    await made('readers', [{ permission: 'tools:*', when: { read_only: true } }])
    await made('office', [{ permission: 'tools:*', when: { categories: ['office'], tags: ['note*'] } }])
    await made('bold', ['tools:*'], [{ permission: 'tools:*', when: { min_security_level: 5 } }])
    for (const [role, shown] of [
      ['readers', ['read_note']],
      ['office', ['write_note']],
      ['bold', ['read_note']],
    ] as const) {
      const actor = await stage.join(role)
      const own = (await listedAt(stage.mcp, actor)).filter((name) => /note|mail/.test(name))
      expect([role, own]).toEqual([role, shown])
      expect(await toolsOf(actor)).toEqual(shown)
      for (const name of ['read_note', 'write_note', 'send_mail'])
        expect([role, name, (await stage.api.execute(name, {}, actor.headers)).status]).toEqual([
          role,
          name,
          (shown as readonly string[]).includes(name) ? 200 : 404,
        ])
    }
    const explained = await stage.api.send(
      'POST',
      'policy/explain',
      { principal: { roles: ['bold'] }, action: 'tools:execute', resource: 'send_mail' },
      stage.admin.headers,
    )
    expect(explained.body).toMatchObject({
      allowed: false,
      rule: 'role bold denies tools:* when min_security_level 5',
    })
  })

  test('and a route that a role denies is closed to it', async () => {
    await made('no-deletes', ['*:*'], ['routes:use:DELETE *'])
    const actor = await stage.join('no-deletes')
    const refused = await stage.api.send('DELETE', 'namespaces/mail', undefined, actor.headers)
    expect([refused.status, refused.body]).toMatchObject([403, { details: { permission: 'routes:use' } }])
    expect((await stage.api.send('GET', 'namespaces/mail', undefined, actor.headers)).status).toBe(200)
  })
})

/** Z11: a stolen narrow key is worth no more than what it names. */
describe('Z11, A27 an API key is narrower than its owner', () => {
  test('by namespace, on every surface', async () => {
    const { headers } = await stage.keyOf(stage.admin, { namespaces: ['notes'] })
    const key = { headers }
    expect(await listedAt(`${stage.mcp}/notes`, key)).toEqual(['read_note', 'write_note'])
    expect(await listedAt(stage.mcp, key)).toEqual(['read_note', 'write_note'])
    expect(await toolsOf(key)).toEqual(['read_note', 'write_note'])
    expect(await toolsOf(key, 'tools?namespace=mail')).toEqual([])
    for (const query of ['q=send_mail', 'q=send_mail&namespace=mail'])
      expect([query, (await toolsOf(key, `tools/search?${query}`)).includes('send_mail')]).toEqual([query, false])
    expect((await stage.api.execute('read_note', {}, headers)).status).toBe(200)
    expect((await stage.api.execute('send_mail', {}, headers)).status).toBe(404)
    const refusal = await stage.api.send('GET', 'namespaces/mail', undefined, headers)
    expect(refusal.status).toBe(404)
    const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25' } }
    const told = async (name: string) => {
      const { status, text } = await stage.api.send('POST', `/mcp/${name}`, initialize, headers)
      return [status, text.replaceAll(name, 'N')]
    }
    expect(await told('mail')).toEqual(await told('wind'))
    expect((await told('mail'))[1]).toContain('Unknown namespace')
  })

  test('and has no power over the other keys of its owner, nor over people', async () => {
    const narrow = await stage.keyOf(stage.admin, { permissions: ['tools:read'] })
    const other = await stage.keyOf(stage.admin)
    const send = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown) =>
      stage.api.send(method, path, body, narrow.headers)
    expect((await send('DELETE', `api-keys/${other.id}`)).status).toBe(404)
    expect((await send('GET', 'api-keys')).body).toMatchObject({ total: 1, api_keys: [{ key_id: narrow.id }] })
    expect((await send('POST', 'api-keys', { name: 'wide' })).status).toBe(422)
    expect((await send('GET', 'users')).status).toBe(403)
    expect((await send('GET', 'auth/me')).body).toMatchObject({ permissions: ['tools:read'] })
    expect((await send('DELETE', `api-keys/${narrow.id}`)).status).toBe(204)
    expect((await send('GET', 'tools')).status).toBe(401)
  })
})

/** Z6: what may not be used cannot be told from what is not there, by any primitive in any era. */
test.each([
  ['legacy', (headers: Record<string, string>, path: string) => legacyRaw(`${stage.mcp}${path}`, { headers })],
  [
    'modern',
    (headers: Record<string, string>, path: string) => Promise.resolve(modernRaw(`${stage.mcp}${path}`, { headers })),
  ],
] as const)(
  'Z6, Z10, R062 to a %s client a hidden thing answers to the byte as one that is not there',
  async (era, connect) => {
    // Of the server with the resources it may use something: so there is a way to what it may not use.
    const permissions = ['tools:execute:read_note', 'tools:execute:everything__echo', 'tools:read']
    const { headers } = await stage.keyOf(stage.admin, { permissions })
    await using client = await connect(headers, '')
    const uri = 'demo://resource/static/document/architecture.md'
    for (const [method, params, name] of [
      ['tools/call', (name: string) => ({ name, arguments: {} }), 'send_mail'],
      ['tools/call', (name: string) => ({ name, arguments: { message: 'x' } }), 'everything__get-env'],
      ['prompts/get', (name: string) => ({ name }), 'everything__simple-prompt'],
      ['resources/read', (name: string) => ({ uri: name }), uri],
      [
        'completion/complete',
        (name: string) => completion({ type: 'ref/prompt', name }),
        'everything__completable-prompt',
      ],
      ['completion/complete', (name: string) => completion({ type: 'ref/resource', uri: name }), uri],
      [
        'completion/complete',
        (name: string) => completion({ type: 'ref/resource', uri: name }),
        'demo://resource/dynamic/text/{resourceId}',
      ],
      ...(era === 'legacy' ? [['resources/subscribe', (name: string) => ({ uri: name }), uri] as const] : []),
    ] as const) {
      const told = async (named: string) => {
        const { id: _id, ...answer } = await client.call(method, params(named))
        return JSON.stringify(answer).replaceAll(named, 'N')
      }
      const hidden = await told(name)
      expect([method, name, hidden]).toEqual([method, name, await told(`${name}x`)])
      expect(hidden).toContain('"error"')
    }
    const shown = ['everything__echo', 'read_note']
    await using meta = await connect(headers, '/meta')
    const { result } = (await meta.call('tools/list')) as unknown as { result: { tools: { name: string }[] } }
    expect(result.tools.map(({ name }) => name)).toEqual([...shown, 'search_tools', 'describe_tools', 'call_tool'])
    const found = await meta.call('tools/call', { name: 'search_tools', arguments: { query: 'send_mail' } })
    const tools = found.result?.['structuredContent'] as { tools: { name: string }[] }
    expect(tools.tools.length).toBeGreaterThan(0)
    expect(shown).toEqual(expect.arrayContaining(tools.tools.map(({ name }) => name)))
    const described = async (name: string) => {
      const { id: _id, ...answer } = await meta.call('tools/call', {
        name: 'describe_tools',
        arguments: { names: [name] },
      })
      // Which of the names that it may see are near to it is a matter of letters.
      return JSON.stringify(answer)
        .replaceAll(name, 'N')
        .replace(/names: (?:(?:read_note|everything__echo)(?:, |(?=\.)))+/, '')
    }
    expect(await described('send_mail')).toBe(await described('send_wind'))
    const called = async (name: string) => {
      const { id: _id, ...answer } = await meta.call('tools/call', {
        name: 'call_tool',
        arguments: { name, arguments: {} },
      })
      return JSON.stringify(answer).replaceAll(name, 'N')
    }
    expect(await called('send_mail')).toBe(await called('send_wind'))
  },
)

function completion(ref: object) {
  return { ref, argument: { name: 'resourceId', value: '1' } }
}

/** Z6: what is hidden is not found faster or slower than what is not there, however many tools there are. */
test('Z6 a hidden tool takes the time of one that there is not', async () => {
  const { headers } = await stage.keyOf(stage.admin, { permissions: ['tools:*:read_note'] })
  await using client = await legacyRaw(stage.mcp, { headers })
  const ask: readonly ((name: string) => Promise<unknown>)[] = [
    (name) => stage.api.send('GET', `tools/${name}`, undefined, headers),
    (name) => stage.api.execute(name, {}, headers),
    (name) => client.call('tools/call', { name, arguments: {} }),
  ]
  for (const one of ask) {
    const ratio = await medianRatio(
      () => one('send_mail'),
      () => one('send_wind'),
    )
    expect(ratio).toBeGreaterThan(0.5)
    expect(ratio).toBeLessThan(2)
  }
})

/** Of the two in turns, so that a busy machine is busy for both. */
async function medianRatio(one: () => Promise<unknown>, other: () => Promise<unknown>): Promise<number> {
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < 60; round += 1)
    for (const [at, act] of [one, other].entries()) {
      const before = performance.now()
      await act()
      times[at]?.push(performance.now() - before)
    }
  const [a = 0, b = 1] = times.map((each) => each.toSorted((x, y) => x - y)[30] ?? 0)
  return a / b
}

test('R152 what limits nothing opens nothing: a pattern where there are no names, discovery under one name', async () => {
  for (const permission of [
    'executions:read:notes__*',
    { permission: 'users:read', when: { max_security_level: 1 } },
  ]) {
    const reply = await stage.api.send('POST', 'roles', { name: 'x', permissions: [permission] }, stage.admin.headers)
    expect(reply.status).toBe(422)
  }
  const key = { name: 'x', permissions: ['audit:read:x'] }
  expect((await stage.api.send('POST', 'api-keys', key, stage.admin.headers)).status).toBe(422)
  await made('finder', ['servers:create:mine*'])
  const actor = await stage.join('finder')
  const source = { kind: 'file', path: '/etc' }
  const found = await stage.api.send('POST', 'proxy/discovery', { source }, actor.headers)
  expect([found.status, found.body]).toMatchObject([403, { details: { permission: 'servers:create' } }])
})

const explain = (principal: object, resource: string, headers = stage.admin.headers) => {
  const body = { principal, action: 'tools:execute', resource }
  return stage.api.send('POST', 'policy/explain', body, headers)
}

/** R152: an administrator who asks about ann wants to know what happens to ann, not to the roles that he thinks she has. */
describe('what is explained of a user or a key', () => {
  const TOOLS = ['read_note', 'write_note', 'send_mail']
  test('is what happens to it, with the rule', async () => {
    await made('notes-only', ['*:read', 'tools:execute:*_note'])
    const ann = await stage.join('notes-only')
    const permitted = await stage.keyOf(stage.admin, { permissions: ['tools:read', 'tools:execute:send_*'] })
    const shown = await stage.keyOf(stage.admin, { namespaces: ['notes'] })
    const cases = [
      [{ user: ann.username.toUpperCase() }, ann.headers],
      [{ user: ann.id }, ann.headers],
      [{ api_key: permitted.id }, permitted.headers],
      [{ api_key: shown.id }, shown.headers],
    ] as const
    const verdicts: string[] = []
    for (const [principal, headers] of cases)
      for (const tool of TOOLS) {
        const { status, body } = await explain(principal, tool)
        const called = (await stage.api.execute(tool, {}, headers)).status
        expect([principal, tool, status, body['allowed']]).toEqual([principal, tool, 200, called === 200])
        verdicts.push(`${tool}: ${String(body['rule'])}`)
      }
    expect(verdicts).toContain('read_note: role notes-only allows tools:execute:*_note')
    expect(verdicts).toContain('send_mail: no role allows tools:execute')
  })

  test('is that nothing is allowed to those who do not even come in', async () => {
    const ann = await stage.join('user')
    const path = `users/${ann.id}`
    const { id } = await stage.keyOf(ann)
    expect((await explain({ api_key: id }, 'lamp')).body).toMatchObject({ allowed: true })
    await stage.api.send('PATCH', path, { is_active: false }, stage.admin.headers)
    const inactive = { allowed: false, rule: 'the user is inactive' }
    for (const principal of [{ user: ann.username }, { api_key: id }])
      expect((await explain(principal, 'lamp')).body).toMatchObject(inactive)
    await stage.api.send('PATCH', path, { is_active: true }, stage.admin.headers)
    const again = await stage.login(ann.username)
    expect((await stage.api.send('DELETE', `api-keys/${id}`, undefined, again.headers)).status).toBe(204)
    expect((await explain({ api_key: id }, 'lamp')).body).toMatchObject({
      allowed: false,
      rule: 'the API key is revoked',
    })
    const short = await stage.keyOf(again, { expires_at: new Date(Date.now() + 300).toISOString() })
    await until(
      'it has expired',
      async () => (await explain({ api_key: short.id }, 'lamp')).body['rule'] === 'the API key has expired',
    )
  })

  test('is for those who may know of users, and tells nobody else who there is', async () => {
    await made('explainer', ['roles:read', 'tools:*'])
    const asker = await stage.join('explainer')
    const ann = await stage.join('user')
    const { id } = await stage.keyOf(ann)
    for (const principal of [
      { user: ann.username },
      { user: 'nobody' },
      { user: ann.id },
      { api_key: id },
      { api_key: 'none' },
    ]) {
      const refused = await explain(principal, 'lamp', asker.headers)
      expect([refused.status, refused.body['details']]).toEqual([403, { permission: 'users:read' }])
    }
    expect((await explain({ roles: ['user'] }, 'lamp', asker.headers)).status).toBe(200)
    for (const principal of [{ user: 'nobody' }, { api_key: 'none' }])
      expect((await explain(principal, 'lamp')).status).toBe(404)
    expect((await explain({ user: ann.username, roles: ['admin'] }, 'lamp')).status).toBe(422)
  })
})
