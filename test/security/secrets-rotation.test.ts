import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startBackend } from '../support/recording-backend.ts'
import { runCommand } from '../support/run-cli.ts'
import { newDirectory, startTestApp, type TestApp } from '../support/test-app.ts'

const FAR = {
  name: 'far',
  url: 'http://127.0.0.1:9/mcp',
  headers: { Authorization: 'Bearer CANARY-far' },
  start: 'lazy',
}

interface Shown {
  readonly status: string
  readonly status_reason: string
}

const shown = async ({ api }: TestApp, name: string) => (await api.send<Shown>('GET', `proxy/servers/${name}`)).body

const rotate = async ({ api }: TestApp) => (await api.send('POST', 'admin/secrets/rotate')).body

/** A gateway with a tool that only works with its header. */
async function prepare(directory: string) {
  const backend = await startBackend()
  backend.on('/lamp', '{"on":true}')
  const lamp = { name: 'lamp', endpoint: `${backend.url}/lamp`, description: 'x', headers: { 'X-Key': 'CANARY-lamp' } }
  const app = await startTestApp({ directory })
  expect((await app.api.send('POST', 'tools', lamp)).status).toBe(201)
  expect((await app.api.send('POST', 'proxy/servers', FAR)).status).toBe(201)
  return { app, backend, lamp }
}

test('E3 a key that is lost costs what was sealed with it, says so, and loses nothing', async () => {
  await using directory = await newDirectory()
  const { app, backend, lamp } = await prepare(directory.path)
  await using _backend = backend
  await app[Symbol.asyncDispose]()
  const file = join(directory.path, 'data/secret.key')
  const key = await readFile(file, 'utf8')
  await rm(file)
  {
    await using other = await startTestApp({ directory: directory.path })
    const { status, status_reason: reason } = await shown(other, 'far')
    expect([status, reason]).toEqual([
      'offline',
      expect.stringMatching(/cannot be read. It was sealed with a key that this gateway has not/),
    ])
    const failed = await other.api.execute('lamp')
    expect([failed.status, failed.body.message]).toEqual([502, expect.stringMatching(/^lamp: .*cannot be read/)])
    expect(backend.seen).toEqual([])
    expect(other.log.filter((line) => line.includes('stored secrets cannot be read'))).toHaveLength(2)
    const part = await other.api.send('PATCH', 'proxy/servers/far', { headers: { Authorization: 'Bearer new' } })
    expect([part.status, part.body['message']]).toEqual([expect.any(Number), expect.any(String)])
    expect(part.status).toBeGreaterThanOrEqual(400)
    expect((await other.api.send('PATCH', 'proxy/servers/far', { description: 'mine' })).status).toBe(200)
    expect((await other.api.send('PUT', 'tools/lamp', { description: 'mine' })).status).toBe(200)
    expect((await other.api.send('POST', 'proxy/servers/far/restart')).status).toBeGreaterThanOrEqual(400)
  }
  await writeFile(file, key, { mode: 0o600 })
  {
    await using back = await startTestApp({ directory: directory.path })
    expect((await back.api.execute('lamp')).status).toBe(200)
    expect(backend.seen.map(({ headers }) => headers['x-key'])).toEqual(['CANARY-lamp'])
    const { description } = (await back.api.send('GET', 'proxy/servers/far')).body
    expect(description).toBe('mine')
  }
  await rm(file)
  await using anew = await startTestApp({ directory: directory.path })
  expect(
    (await anew.api.send('PUT', 'tools/lamp', { endpoint: lamp.endpoint, headers: { 'X-Key': 'new' } })).status,
  ).toBe(200)
  expect((await anew.api.execute('lamp')).status).toBe(200)
  expect(backend.seen.at(-1)?.headers['x-key']).toBe('new')
})

test('E3, R293 metamcp secrets rotate seals with a new key; all goes on, also after a restart and a second rotation', async () => {
  await using directory = await newDirectory()
  const { app, backend } = await prepare(directory.path)
  await using _backend = backend
  const keys = async () => (await readFile(join(directory.path, 'data/secret.key'), 'utf8')).trim().split('\n')
  const [first] = await keys()
  const env = { META_MCP_DATA_DIR: join(directory.path, 'data') }
  const rotated = await runCommand(['secrets', 'rotate'], { env })
  expect(rotated).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^2 records sealed anew with a new key/) as never,
  })
  const [second, ...older] = await keys()
  expect([second === first, older]).toEqual([false, [first]])
  expect((await app.api.execute('lamp')).status).toBe(200)
  const again = await runCommand(['secrets', 'rotate', '--json'], { env })
  expect(JSON.parse(again.stdout)).toMatchObject({ is_new: true, resealed: 2, locked: 0 })
  const [third, ...rest] = await keys()
  expect(rest).toEqual([second, first])
  await app[Symbol.asyncDispose]()
  await using next = await startTestApp({ directory: directory.path })
  expect((await next.api.execute('lamp')).status).toBe(200)
  expect((await next.api.send('POST', 'audit/verify', {})).body).toMatchObject({ ok: true })
  expect(await keys()).toEqual([third, second, first])
  expect((await runCommand(['secrets', 'rotate'], { env })).code).toBe(0)
  expect((await keys()).slice(1)).toEqual([third])
  const all = `${rotated.stdout}${again.stdout}${app.log.join('')}${next.log.join('')}`
  for (const secret of [first!, second!, third!, 'CANARY']) expect(all).not.toContain(secret)
})

test('a key that is a setting is not replaced: its owner sets another, and secrets are sealed with that', async () => {
  await using directory = await newDirectory()
  const [old, next] = ['k9Zq-4vXw2Lm7Tb1Yc6Rd8Pf3Hs5Ja0Ne', 'Zq8-3uWv1Kl6Sa0Xb5Qc7Oe2Gr4Iz9Md-x'] as const
  {
    await using app = await startTestApp({ directory: directory.path, env: { META_MCP_SECRET_KEY: old } })
    expect((await app.api.send('POST', 'proxy/servers', FAR)).status).toBe(201)
    expect(await rotate(app)).toMatchObject({ is_new: false, resealed: 0, locked: 0 })
  }
  {
    const env = { META_MCP_SECRET_KEY: next, META_MCP_PREVIOUS_SECRET_KEYS: old }
    await using app = await startTestApp({ directory: directory.path, env })
    expect(await rotate(app)).toMatchObject({ is_new: false, resealed: 1, locked: 0 })
  }
  await using app = await startTestApp({ directory: directory.path, env: { META_MCP_SECRET_KEY: next } })
  expect((await shown(app, 'far')).status_reason).not.toContain('cannot be read')
})
