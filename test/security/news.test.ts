import { afterAll, beforeAll, expect, test } from 'vitest'
import { methodsOf } from '../support/era-stage.ts'
import { startFixture, type Fixture } from '../support/fixture/start-fixture.ts'
import { holdStream, STREAMS, type HeldStream } from '../support/held-streams.ts'
import { legacyRaw } from '../support/raw-clients.ts'
import { openSecurityStage, type Actor, type SecurityStage } from '../support/security-stage.ts'
import { until } from '../support/until.ts'

const CHANGED = 'notifications/tools/list_changed'
const UPDATED = 'notifications/resources/updated'
const WATCHED = 'test://watched-resource'

const fixtures: Fixture[] = []
let stage: SecurityStage

beforeAll(async () => {
  const [files, mail] = [await startFixture({ era: 'legacy' }), await startFixture({ era: 'modern' })]
  fixtures.push(files, mail)
  stage = await openSecurityStage({
    file: () => ({
      servers: { files: { url: files.url, start: 'eager' }, mail: { url: mail.url, start: 'eager' } },
      namespaces: { post: { servers: ['mail'] } },
    }),
  })
  await stage.online('files', 'mail')
  for (const server of ['files', 'mail']) {
    const permissions = [`tools:execute:${server}__*`, { permission: 'resources:use', when: { servers: [server] } }]
    expect((await send('POST', 'roles', { name: `${server}-only`, permissions })).status).toBe(201)
  }
})

afterAll(async () => {
  await stage[Symbol.asyncDispose]()
  for (const fixture of fixtures) await fixture.close()
})

const send = (method: 'POST' | 'PUT', path: string, body: unknown) =>
  stage.api.send(method, path, body, { ...stage.admin.headers })
const run = async (tool: string, args = {}) =>
  expect((await stage.api.execute(tool, args, { ...stage.admin.headers })).status).toBe(200)
const times = ({ heard }: Pick<HeldStream, 'heard'>, method: string) =>
  methodsOf(heard).filter((each) => each === method).length

async function holdAll({ headers }: Pick<Actor, 'headers'>, cleanup: AsyncDisposableStack): Promise<HeldStream[]> {
  const held = []
  for (const kind of STREAMS) held.push(cleanup.use(await holdStream(kind, stage, headers)))
  return held
}

/** Whoever hears that a list changed knows that there is something that he may not know of. */
test('Z6 that a list changed is told to those alone whose own list did', async () => {
  await using cleanup = new AsyncDisposableStack()
  const [ann, bob] = [await stage.join('files-only'), await stage.join('mail-only')]
  const key = await stage.keyOf(await stage.join('user'), { namespaces: ['post'] })
  const [files, mail, post] = [await holdAll(ann, cleanup), await holdAll(bob, cleanup), await holdAll(key, cleanup)]
  const heard = () => [files, mail, post].map((held) => held.map((each) => times(each, CHANGED)))
  await run('mail__test_trigger_tool_change')
  await until('who sees mail is told', () => JSON.stringify(heard().slice(1)) === '[[1,1,1],[1,1,1]]')
  await run('files__test_trigger_tool_change')
  await until('who sees files is told', () => heard()[0]?.every((count) => count > 0) === true)
  await run('mail__test_trigger_tool_change')
  await until('who sees mail is told again', () => heard()[1]?.every((count) => count > 1) === true)
  await until('so is the key for mail', () => heard()[2]?.every((count) => count > 1) === true)
  expect(heard()).toEqual([
    [1, 1, 1],
    [2, 2, 2],
    [2, 2, 2],
  ])
})

test('Z9 updates of a resource end with the role that gave it', async () => {
  await using cleanup = new AsyncDisposableStack()
  const permissions = ['tools:execute:files__*', 'resources:use']
  expect((await send('POST', 'roles', { name: 'watching', permissions })).status).toBe(201)
  const [ann, bob] = [await stage.join('watching'), await stage.join('user')]
  const open = async ({ headers }: Actor) => cleanup.use(await legacyRaw(stage.mcp, { headers: { ...headers } }))
  const [mine, other] = [await open(ann), await open(bob)]
  for (const session of [mine, other])
    expect((await session.call('resources/subscribe', { uri: WATCHED })).result).toEqual({})
  const touched = async () => [times(mine, UPDATED), times(other, UPDATED)]
  await run('files__touch', { uri: WATCHED })
  await until('both hear of it', async () => (await touched()).every((count) => count === 1))
  const deny = [`resources:use:${WATCHED}`]
  expect((await send('PUT', 'roles/watching', { permissions, deny })).status).toBe(200)
  await run('files__touch', { uri: WATCHED })
  await until('the other one hears of it', async () => (await touched())[1] === 2)
  // What goes to the first one goes before what goes to the second one.
  expect(await touched()).toEqual([1, 2])
})
