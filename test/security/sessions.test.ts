import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startFixture } from '../support/fixture/start-fixture.ts'
import { ASKABLE, answers, legacyRaw, modernRaw } from '../support/raw-clients.ts'
import { openSecurityStage, PASSWORD, type Actor, type SecurityStage } from '../support/security-stage.ts'
import { newDirectory } from '../support/test-app.ts'
import { until } from '../support/until.ts'

let stage: SecurityStage

beforeAll(async () => {
  stage = await openSecurityStage({
    file: (backend) => ({
      tools: {
        lamp: { endpoint: `${backend.url}/lamp`, description: 'Switches the light' },
        slow: { endpoint: `${backend.url}/slow`, description: 'Takes its time' },
      },
    }),
  })
  stage.backend.on('/lamp', '{}')
})

afterAll(() => stage[Symbol.asyncDispose]())

const LIST = { jsonrpc: '2.0', id: 7, method: 'tools/list' }
const plain = (headers: Readonly<Record<string, string>>) => ({ ...headers })

async function statusOf({ headers }: Pick<Actor, 'headers'>, path = 'tools'): Promise<number> {
  return (await stage.api.send('GET', path, undefined, plain(headers))).status
}

/** A20: who knows the id of a session is not the one whose it is. */
describe('A20, A22 a session', () => {
  test('of somebody else answers as one that is not there, and goes on', async () => {
    const [ann, bob] = [await stage.join('user'), await stage.join('admin')]
    await using session = await legacyRaw(stage.mcp, { headers: plain(ann.headers) })
    const told = async (id: string, method: 'POST' | 'GET' | 'DELETE') => {
      const accept = { accept: method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream' }
      const headers = { ...bob.headers, ...accept, 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' }
      const { status, text } = await stage.api.send(method, '/mcp', method === 'POST' ? LIST : undefined, headers)
      return [status, text]
    }
    const id = session.headers['mcp-session-id'] ?? ''
    for (const method of ['POST', 'GET', 'DELETE'] as const) {
      const foreign = await told(id, method)
      expect([method, foreign[0]]).toEqual([method, 404])
      expect(foreign).toEqual(await told(`${id.slice(0, -4)}AAAA`, method))
    }
    expect(await session.call('tools/list')).toHaveProperty('result')
  })

  test('of a person is not one of its API keys, nor that of one key another’s', async () => {
    const ann = await stage.join('user')
    const keys = [await stage.keyOf(ann, { permissions: ['tools:read'] }), await stage.keyOf(ann)]
    for (const owner of [ann, ...keys]) {
      await using session = await legacyRaw(stage.mcp, { headers: plain(owner.headers) })
      for (const other of [ann, ...keys]) {
        const { status } = await session.post(LIST, { headers: plain(other.headers) })
        expect(status).toBe(other === owner ? 200 : 404)
      }
    }
  })

  test('is never found for want of an id, also where there is exactly one', async () => {
    await using alone = await openSecurityStage()
    await using _session = await legacyRaw(alone.mcp, { headers: plain(alone.admin.headers) })
    const { status } = await alone.api.send('POST', '/mcp', LIST, plain(alone.admin.headers))
    expect(status).toBe(400)
  })

  test('over HTTP+SSE takes messages of its owner alone', async () => {
    const [ann, bob] = [await stage.join('user'), await stage.join('admin')]
    const abort = new AbortController()
    const url = new URL('/sse', stage.url)
    const stream = await fetch(url, { headers: plain(ann.headers), signal: abort.signal })
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
    let heard = ''
    const hear = async (what: string) => {
      while (!heard.includes(what)) heard += (await reader.read()).value ?? ''
    }
    await hear('\n\n')
    const address = /data: (\S+)/.exec(heard)?.[1] ?? ''
    const initialize = {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
    }
    const post = async (message: object, { headers }: Pick<Actor, 'headers'>) =>
      (await stage.api.send('POST', address, message, plain(headers))).status
    expect(await post(initialize, bob)).toBe(404)
    expect(await post(initialize, ann)).toBe(202)
    await hear('"id":1')
    expect(await post({ ...LIST, id: 666 }, bob)).toBe(404)
    expect(await post({ ...LIST, id: 2 }, await stage.keyOf(ann))).toBe(404)
    expect(await post({ ...LIST, id: 3 }, ann)).toBe(202)
    await hear('"id":3')
    expect(heard).not.toContain('"id":666')
    abort.abort()
  })
})

/** A11, Z9: what was taken away is gone with the next request, not with the next login. */
describe('A11, Z9, R031, R063 at once ends', () => {
  test('everything of a login: REST, sessions, streams’ owners and stateless calls', async () => {
    const ann = await stage.join('user')
    await using session = await legacyRaw(stage.mcp, { headers: plain(ann.headers) })
    await using modern = modernRaw(stage.mcp, { headers: plain(ann.headers) })
    expect((await stage.api.send('POST', 'auth/logout', undefined, plain(ann.headers))).status).toBe(200)
    expect(await statusOf(ann)).toBe(401)
    expect((await session.post(LIST)).status).toBe(401)
    expect((await modern.send('tools/list', {})).status).toBe(401)
    expect((await stage.api.send('POST', 'auth/refresh', { refresh_token: ann.refreshToken })).status).toBe(401)
  })

  test('what a role gave, in sessions that are open, on REST, and for API keys', async () => {
    const ann = await stage.join('user')
    const key = await stage.keyOf(ann)
    for (const owner of [ann, key]) {
      await stage.api.send('PATCH', `users/${ann.id}`, { roles: ['user'] }, plain(stage.admin.headers))
      await using session = await legacyRaw(stage.mcp, { headers: plain(owner.headers) })
      await using modern = modernRaw(stage.mcp, { headers: plain(owner.headers) })
      const call = { name: 'lamp', arguments: {} }
      for (const client of [session, modern]) expect(await client.call('tools/call', call)).toHaveProperty('result')
      const change = { roles: ['viewer'] }
      expect((await stage.api.send('PATCH', `users/${ann.id}`, change, plain(stage.admin.headers))).status).toBe(200)
      const before = stage.backend.seen.length
      for (const client of [session, modern]) expect(await client.call('tools/call', call)).toHaveProperty('error')
      expect((await stage.api.execute('lamp', {}, plain(owner.headers))).status).toBe(403)
      expect(stage.backend.seen.length).toBe(before)
    }
  })

  test('a role that is changed while a call runs: that call ends well, the next is refused', async () => {
    await stage.api.send(
      'POST',
      'roles',
      { name: 'slowly', permissions: ['tools:execute'] },
      plain(stage.admin.headers),
    )
    const ann = await stage.join('slowly')
    const released = Promise.withResolvers<void>()
    stage.backend.on('/slow', (response) => {
      const answer = () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"done":true}')
      void released.promise.then(answer)
    })
    const seen = () => stage.backend.seen.filter(({ path }) => path === '/slow').length
    const running = stage.api.execute('slow', {}, plain(ann.headers))
    await until('the call is under way', () => seen() === 1)
    const none = { permissions: ['tools:execute:lamp'] }
    expect((await stage.api.send('PUT', 'roles/slowly', none, plain(stage.admin.headers))).status).toBe(200)
    expect((await stage.api.execute('slow', {}, plain(ann.headers))).status).toBe(404)
    expect((await stage.api.execute('lamp', {}, plain(ann.headers))).status).toBe(200)
    released.resolve()
    expect((await running).status).toBe(200)
    expect(seen()).toBe(1)
  })

  test('A24, Z9 a call that waits for answers: nobody else goes on with it, nor who may no more', async () => {
    await using up = await startFixture({ era: 'legacy' })
    await using place = await openSecurityStage({ file: () => ({ servers: { up: { url: up.url, start: 'eager' } } }) })
    await place.online('up')
    const [ann, bob] = [await place.join('user'), await place.join('user')]
    const params = { name: 'up__elicit_marker', arguments: { marker: 'mine' } }
    const clientOf = (headers: Readonly<Record<string, string>>) =>
      modernRaw(place.mcp, { capabilities: ASKABLE, headers })
    await using mine = clientOf(ann.headers)
    const asked = (await mine.call('tools/call', params)).result ?? {}
    expect(asked['resultType']).toBe('input_required')
    const inputResponses = await answers(asked, () => ({ action: 'accept', content: { marker: 'mine' } }))
    const retry = { ...params, requestState: asked['requestState'], inputResponses }
    for (const other of [bob, await place.keyOf(ann)]) {
      await using theirs = clientOf(other.headers)
      expect((await theirs.call('tools/call', retry)).error).toMatchObject({ code: -32602 })
    }
    const setRoles = (roles: string[]) =>
      place.api.send('PATCH', `users/${ann.id}`, { roles }, plain(place.admin.headers))
    await setRoles(['viewer'])
    expect((await mine.call('tools/call', retry)).error).toMatchObject({ message: `Unknown tool: ${params.name}` })
    await setRoles(['user'])
    expect(JSON.stringify(await mine.call('tools/call', retry))).toContain('mine')
  })

  test('a user: with a password of others, inactive, gone', async () => {
    for (const end of [
      (id: string) => stage.api.send('PATCH', `users/${id}`, { is_active: false }, plain(stage.admin.headers)),
      (id: string) =>
        stage.api.send('PATCH', `users/${id}`, { password: 'a horse of another kind' }, plain(stage.admin.headers)),
      (id: string) => stage.api.send('DELETE', `users/${id}`, undefined, plain(stage.admin.headers)),
    ]) {
      const ann = await stage.join('user')
      expect(await statusOf(ann)).toBe(200)
      expect((await end(ann.id)).status).toBeLessThan(300)
      expect(await statusOf(ann)).toBe(401)
      expect((await stage.api.send('POST', 'auth/refresh', { refresh_token: ann.refreshToken })).status).toBe(401)
      const again = { username: ann.username, password: PASSWORD }
      expect((await stage.api.send('POST', 'auth/login', again)).status).toBe(401)
    }
  })

  test('and stays ended after a restart', async () => {
    await using directory = await newDirectory()
    const first = await openSecurityStage({ directory: directory.path })
    const [gone, stays] = [await first.join('user'), await first.join('user')]
    await first.api.send('POST', 'auth/logout', undefined, plain(gone.headers))
    await first[Symbol.asyncDispose]()
    await using second = await openSecurityStage({ directory: directory.path })
    const status = async ({ headers }: Actor) =>
      (await second.api.send('GET', 'auth/me', undefined, plain(headers))).status
    expect([await status(gone), await status(stays)]).toEqual([401, 200])
  })
})

const renew = (token: string) =>
  stage.api.send<Record<string, string>>('POST', 'auth/refresh', { refresh_token: token })

describe('R032 a refresh token', () => {
  test('A16 that comes again ends its family, and only that', async () => {
    const ann = await stage.join('user')
    const other = await stage.login(ann.username)
    const first = await renew(ann.refreshToken)
    expect(first.status).toBe(200)
    const replayed = await renew(ann.refreshToken)
    expect([replayed.status, JSON.stringify(replayed.body).includes('access_token')]).toEqual([401, false])
    expect((await renew(first.body['refresh_token'] ?? '')).status).toBe(401)
    expect(await statusOf({ headers: { authorization: `Bearer ${first.body['access_token']}` } })).toBe(401)
    expect(await statusOf(ann)).toBe(401)
    expect(await statusOf(other)).toBe(200)
  })

  test('A17 that is used twice at once is good once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const ann = await stage.login('person-1').catch(() => undefined)
      const { refreshToken } = ann ?? (await stage.join('user'))
      const statuses = (await Promise.all([renew(refreshToken), renew(refreshToken)])).map(({ status }) => status)
      expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 401])
    }
  })
})
