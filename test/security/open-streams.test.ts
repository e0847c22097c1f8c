import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startFixture, type Fixture } from '../support/fixture/start-fixture.ts'
import { holdStream, STREAMS, type HeldStream } from '../support/held-streams.ts'
import { methodsOf } from '../support/era-stage.ts'
import { openSecurityStage, type Actor, type SecurityStage } from '../support/security-stage.ts'
import { until } from '../support/until.ts'

/** The bar of everything that is taken away. */
const MS_MAX = 1_000
const LAMP = 'tools:execute:lamp'
const FILES = ['tools:execute:files__*', 'resources:use', 'prompts:use']

let fixture: Fixture
let stage: SecurityStage

beforeAll(async () => {
  fixture = await startFixture({ era: 'legacy' })
  stage = await openSecurityStage({
    file: ({ url }) => ({
      servers: { files: { url: fixture.url, start: 'eager' } },
      tools: { lamp: { endpoint: `${url}/lamp`, description: 'Switches the light' } },
    }),
  })
  await stage.online('files')
})

afterAll(async () => {
  await stage[Symbol.asyncDispose]()
  await fixture.close()
})

type Headers = Actor['headers']
const plain = (headers: Headers) => ({ ...headers })

/** One stream of each kind. */
async function holdAll(headers: Headers, cleanup: AsyncDisposableStack): Promise<HeldStream[]> {
  const held = []
  for (const kind of STREAMS) held.push(cleanup.use(await holdStream(kind, stage, headers)))
  return held
}

const isOver = ({ endedAt }: HeldStream): boolean => endedAt !== undefined

async function asAdmin(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<void> {
  const { status, text } = await stage.api.send(method, path, body, plain(stage.admin.headers))
  expect([path, status < 300, text]).toEqual([path, true, text])
}

/** Milliseconds until each of them had ended. */
async function endOf(held: readonly HeldStream[], act: () => Promise<void>): Promise<number[]> {
  expect(held.filter(isOver)).toEqual([])
  const from = performance.now()
  await act()
  await until('they have ended', () => held.every(isOver))
  return held.map(({ endedAt = Infinity }) => Math.round(endedAt - from))
}

interface Case {
  readonly what: string
  /** Whose streams they are: of the person, or of a key of it. */
  readonly byKey?: boolean
  act(person: Actor, keyId: string): Promise<void>
}

const ENDS: readonly Case[] = [
  {
    what: 'a logout',
    async act({ headers }) {
      expect((await stage.api.send('POST', 'auth/logout', undefined, plain(headers))).status).toBe(200)
    },
  },
  { what: 'the end of an API key', byKey: true, act: (_, keyId) => asAdmin('DELETE', `api-keys/${keyId}`) },
  { what: 'a deactivation', act: ({ id }) => asAdmin('PATCH', `users/${id}`, { is_active: false }) },
  {
    what: 'the deactivation of a key’s owner',
    byKey: true,
    act: ({ id }) => asAdmin('PATCH', `users/${id}`, { is_active: false }),
  },
  {
    what: 'another password',
    act: ({ id }) => asAdmin('PATCH', `users/${id}`, { password: 'a horse of another kind' }),
  },
  { what: 'the removal of a user', act: ({ id }) => asAdmin('DELETE', `users/${id}`) },
]

/** A11, Z9: what is listened to is as much an access as what is asked for. */
describe('A11, Z9, R063 streams that are open', () => {
  test.each(ENDS)(
    'end with $what, their sessions with them, and those of others go on',
    async ({ what, byKey, act }) => {
      await using cleanup = new AsyncDisposableStack()
      const [ann, bob] = [await stage.join('user'), await stage.join('user')]
      const key = await stage.keyOf(ann)
      const headers = byKey ? key.headers : ann.headers
      const held = await holdAll(headers, cleanup)
      const others = await holdAll(bob.headers, cleanup)
      const ms = await endOf(held, () => act(ann, key.id))
      console.log(`after ${what} streams had ended (${STREAMS.join(', ')}; ms): ${ms.join(', ')}`)
      expect(ms.filter((each) => each > MS_MAX)).toEqual([])
      for (const each of held) expect([401, undefined]).toContain(await each.status(headers))
      expect(others.filter(isOver)).toEqual([])
      expect(await Promise.all(others.map((each) => each.status(bob.headers)))).toEqual([200, undefined, 202])
    },
  )

  test('A11 the session of a login that has ended is not there for the next login either', async () => {
    await using cleanup = new AsyncDisposableStack()
    const ann = await stage.join('user')
    const again = await stage.login(ann.username)
    const session = cleanup.use(await holdStream('GET /mcp', stage, ann.headers))
    const kept = cleanup.use(await holdStream('GET /mcp', stage, again.headers))
    await endOf([session], async () => {
      await stage.api.send('POST', 'auth/logout', undefined, plain(ann.headers))
    })
    expect(await session.status(again.headers)).toBe(404)
    expect([isOver(kept), await kept.status(again.headers)]).toEqual([false, 200])
  })

  test('that one login opened in the session of another end with their own', async () => {
    await using cleanup = new AsyncDisposableStack()
    const ann = await stage.join('user')
    const again = await stage.login(ann.username)
    const session = cleanup.use(await holdStream('GET /mcp', stage, ann.headers))
    expect(await session.status(again.headers)).toBe(200)
    await endOf([session], async () => {
      await stage.api.send('POST', 'auth/logout', undefined, plain(ann.headers))
    })
    expect(await session.status(again.headers)).toBe(200)
  })

  test('Z9 end when a role takes a server away; their sessions go on with what is left', async () => {
    await using cleanup = new AsyncDisposableStack()
    await asAdmin('POST', 'roles', { name: 'everything', permissions: [LAMP, ...FILES] })
    await asAdmin('POST', 'roles', { name: 'light', permissions: [LAMP] })
    const taken: Record<string, (ann: Actor) => Promise<void>> = {
      'of the user': ({ id }) => asAdmin('PATCH', `users/${id}`, { roles: ['light'] }),
      'that is changed': () => asAdmin('PUT', 'roles/everything', { permissions: [LAMP] }),
    }
    for (const [what, take] of Object.entries(taken)) {
      const [ann, bob] = [await stage.join('everything'), await stage.join('user')]
      const held = await holdAll(ann.headers, cleanup)
      const others = await holdAll(bob.headers, cleanup)
      const ms = await endOf(held, () => take(ann))
      console.log(`after a role ${what} streams had ended (${STREAMS.join(', ')}; ms): ${ms.join(', ')}`)
      expect(ms.filter((each) => each > MS_MAX)).toEqual([])
      // A connection of 2024-11-05 is its session.
      const statuses = await Promise.all(held.map((each) => each.status(ann.headers)))
      expect(statuses).toEqual([200, undefined, 404])
      expect(others.filter(isOver)).toEqual([])
    }
  })

  test('Z9 stay when a role gives or takes a tool, and are told of it', async () => {
    await using cleanup = new AsyncDisposableStack()
    await asAdmin('POST', 'roles', { name: 'growing', permissions: FILES })
    const ann = await stage.join('growing')
    const held = await holdAll(ann.headers, cleanup)
    const told = () =>
      held.map(({ heard }) => methodsOf(heard).filter((method) => method === 'notifications/tools/list_changed').length)
    await asAdmin('PUT', 'roles/growing', { permissions: [...FILES, LAMP] })
    await until('they are told', () => told().every((times) => times === 1))
    await asAdmin('PUT', 'roles/growing', {
      permissions: ['tools:execute:files__echo', 'resources:use', 'prompts:use', LAMP],
    })
    await until('they are told again', () => told().every((times) => times === 2))
    expect(held.filter(isOver)).toEqual([])
  })
})
