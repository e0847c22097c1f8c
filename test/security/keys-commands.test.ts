import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readGatewayFile } from '#config/gateway-file'
import { AS_IT_COMES } from '../support/open.ts'
import { runCommand } from '../support/run-cli.ts'
import { newDirectory, startTestApp, type TestApp, type TestAppOptions } from '../support/test-app.ts'

const PASSWORD = 'correct horse battery'
const ENV = { ...AS_IT_COMES, META_MCP_ADMIN_PASSWORD: PASSWORD }
const LAMP = { tools: { lamp: { endpoint: 'http://127.0.0.1:9/lamp', description: 'Switches the light' } } }

const start = (options: TestAppOptions = {}) => startTestApp({ file: LAMP, env: ENV, ...options })
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** Somebody at another machine: with a data dir of its own, where no gateway left anything. */
async function visitor(app: TestApp) {
  const home = await newDirectory()
  const run = (args: string[], { stdin = '', env = {} } = {}) =>
    runCommand([...args, '--url', app.listening.url], { stdin, env: { META_MCP_DATA_DIR: home.path, ...env } })
  const json = async (args: string[], stdin = '') => {
    const { code, stdout, stderr } = await run([...args, '--json'], { stdin })
    expect([code, stderr], args.join(' ')).toEqual([0, ''])
    return JSON.parse(stdout) as Record<string, never>
  }
  return { run, json, file: join(home.path, 'logins.json'), [Symbol.asyncDispose]: home[Symbol.asyncDispose] }
}

test('R010, R030 a login is what later commands use; logout ends it here and at the gateway', async () => {
  await using app = await start()
  await using me = await visitor(app)
  const before = await me.run(['tools'])
  expect([before.code, before.stderr]).toEqual([
    1,
    expect.stringMatching(/^metamcp: .*metamcp login.*META_MCP_API_KEY\n$/),
  ])
  const wrong = await me.run(['login', 'admin', '--password-stdin'], { stdin: 'wrong horse battery' })
  expect(wrong).toEqual({ code: 1, stdout: '', stderr: 'metamcp: The user name or the password is wrong\n' })
  expect(await me.json(['login', 'admin', '--password-stdin'], `${PASSWORD}\n`)).toMatchObject({ username: 'admin' })
  expect((await me.run(['tools'])).stdout).toContain('lamp')
  expect((await stat(me.file)).mode & 0o777).toBe(0o600)
  const kept = await readFile(me.file, 'utf8')
  expect(kept).not.toContain(PASSWORD)
  const { access_token: token } = Object.values(
    (JSON.parse(kept) as { logins: Record<string, { access_token: string }> }).logins,
  )[0]!
  expect((await me.run(['logout'])).code).toBe(0)
  expect((await app.api.send('GET', 'auth/me', undefined, bearer(token))).status).toBe(401)
  expect((await me.run(['tools'])).code).toBe(1)
  expect(await readFile(me.file, 'utf8')).not.toContain(token)
})

test('R010, R032 commands that run at once renew a login whose token has ended, and it lives on', async () => {
  await using app = await start()
  await using me = await visitor(app)
  await me.json(['login', 'admin', '--password-stdin'], PASSWORD)
  const age = async () => {
    const old = JSON.parse(await readFile(me.file, 'utf8')) as { logins: Record<string, { expires_at: number }> }
    for (const login of Object.values(old.logins)) login.expires_at = 0
    await writeFile(me.file, JSON.stringify(old))
    return JSON.stringify(old)
  }
  for (const _round of [1, 2]) {
    const old = await age()
    const runs = await Promise.all(Array.from({ length: 6 }, () => me.run(['tools'])))
    expect(runs.map(({ code, stderr }) => [code, stderr])).toEqual(runs.map(() => [0, '']))
    expect(await readFile(me.file, 'utf8')).not.toBe(old)
  }
  await app.api.send('PATCH', `users/${await adminId(app)}`, { password: 'battery horse correct' }, await asAdmin(app))
  const { code, stderr } = await me.run(['tools'])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^metamcp: The login of admin at .* has ended; [^\n]+\n$/)
})

test('a file of logins that others can read is not used', async () => {
  await using app = await start()
  await using me = await visitor(app)
  await writeFile(me.file, '{"logins": {}}', { mode: 0o644 })
  const { code, stderr } = await me.run(['tools'])
  expect([code, stderr]).toEqual([1, expect.stringContaining('chmod 600')])
})

test('R010, R063, A27 users and API keys are made, listed and ended by commands', async () => {
  await using app = await start()
  await using me = await visitor(app)
  await me.json(['login', 'admin', '--password-stdin'], PASSWORD)
  const add = ['user', 'add', 'ann', '--role', 'viewer', '--full-name', 'Ann', '--password-stdin']
  expect(await me.json(add, 'battery horse correct\n')).toMatchObject({ username: 'ann', roles: ['viewer'] })
  expect((await me.run(add, { stdin: 'battery horse correct' })).stderr).toMatch(/^metamcp: [^\n]*ann[^\n]*\n$/)
  expect((await me.run(['user', 'list'])).stdout).toMatch(/admin +admin +yes[^]*ann +viewer +yes +Ann/)
  const bad = await me.run(['user', 'passwd', 'ann', '--password-stdin'], { stdin: 'short' })
  expect([bad.code, bad.stderr]).toEqual([1, expect.stringMatching(/12 characters/)])
  await me.json(['user', 'passwd', 'ann', '--password-stdin'], 'horse battery correct')
  expect((await me.run(['user', 'passwd', 'nobody', '--password-stdin'])).stderr).toContain('no user nobody')

  const made = await me.json(['key', 'create', 'cursor', '--user', 'ann', '--permission', 'tools:read'])
  expect(made).toMatchObject({
    owner: 'ann',
    permissions: ['tools:read'],
    key: expect.stringMatching(/^mmcp_/) as never,
  })
  const tools = (key: string) => me.run(['tools'], { env: { META_MCP_API_KEY: key } })
  expect((await tools(made['key']!)).stdout).toContain('lamp')
  expect((await me.run(['key', 'list', '--user', 'ann'])).stdout).toMatch(/cursor +mmcp_\S+… +ann +good/)
  expect((await me.run(['key', 'list'])).stdout).not.toContain('cursor')
  expect(await me.json(['key', 'revoke', made['key_id']!])).toEqual({ revoked: made['key_id'] })
  expect((await tools(made['key']!)).code).toBe(1)
  expect((await me.run(['key', 'list', '--user', 'ann'])).stdout).toMatch(/cursor .* revoked/)
  expect((await me.run(['key', 'create', 'x', '--expires', 'soon'])).stderr).toContain('is no time')
})

test('a user neither makes keys for others nor sees theirs; a key makes no keys', async () => {
  await using app = await start()
  await using me = await visitor(app)
  await app.api.send('POST', 'users', { username: 'ann', password: 'battery horse correct' }, await asAdmin(app))
  await me.json(['login', 'ann', '--password-stdin'], 'battery horse correct')
  expect((await me.run(['key', 'create', 'x', '--user', 'admin'])).stderr).toContain('users:update')
  expect((await me.run(['key', 'list', '--user', 'admin'])).stderr).toContain('users:read')
  expect(await me.json(['key', 'list'])).toEqual({ api_keys: [], total: 0 })
  const { key } = await me.json(['key', 'create', 'mine'])
  const again = await me.run(['key', 'create', 'more'], { env: { META_MCP_API_KEY: key! } })
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('log in first')])
})

test('who may change users makes no key of somebody who may more', async () => {
  await using app = await start()
  const admin = await asAdmin(app)
  const role = { name: 'hr', permissions: ['users:*'] }
  expect((await app.api.send('POST', 'roles', role, admin)).status).toBe(201)
  const ann = { username: 'ann', password: 'battery horse correct', roles: ['hr'] }
  expect((await app.api.send('POST', 'users', ann, admin)).status).toBe(201)
  await using me = await visitor(app)
  await me.json(['login', 'ann', '--password-stdin'], ann.password)
  const { code, stderr } = await me.run(['key', 'create', 'x', '--user', 'admin'])
  expect([code, stderr]).toEqual([1, expect.stringContaining('more than you can give')])
})

test('A25 the first start makes a password and a key and shows them once; without a credential nothing is reached', async () => {
  await using directory = await newDirectory()
  const options = { directory: directory.path, env: AS_IT_COMES }
  const app = await start(options)
  const { administrator, apiKey } = app.first!
  expect(administrator).toMatchObject({
    username: 'admin',
    password: expect.stringMatching(/^[A-Za-z2-9]{24}$/) as never,
  })
  expect((await app.api.send('GET', 'tools')).status).toBe(401)
  for (const password of ['admin', 'password', 'metamcp', 'changeme1234'])
    expect((await app.api.send('POST', 'auth/login', { username: 'admin', password })).status).toBe(401)
  await using me = await visitor(app)
  await me.json(['login', 'admin', '--password-stdin'], administrator.password)
  expect((await app.api.send('GET', 'tools', undefined, bearer(apiKey))).status).toBe(200)
  expect((await app.api.send('GET', 'users', undefined, bearer(apiKey))).status).toBe(403)
  const secrets = [administrator.password!, apiKey]
  expect(app.log.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([])
  await app[Symbol.asyncDispose]()
  await using again = await start(options)
  expect(again.first).toBeUndefined()
  expect((await again.api.send('GET', 'tools', undefined, bearer(apiKey))).status).toBe(200)
})

test('R010 commands on the machine of the gateway need no login; they have a name of their own, and their token ends with the gateway', async () => {
  await using directory = await newDirectory()
  const app = await start({ directory: directory.path })
  const dataDir = join(directory.path, 'data')
  const run = (args: string[]) => runCommand(args, { env: { META_MCP_DATA_DIR: dataDir } })
  expect((await run(['tools'])).stdout).toContain('lamp')
  expect((await run(['key', 'create', 'cursor'])).stdout).toMatch(/^mmcp_/)
  expect((await run(['key', 'list'])).stdout).toMatch(/cursor .*admin/)
  expect((await stat(join(dataDir, 'gateway.json'))).mode & 0o777).toBe(0o600)
  const { token } = readGatewayFile(dataDir)!
  const me = await app.api.send('GET', 'auth/me', undefined, bearer(token!))
  expect(me.body).toMatchObject({ user_id: 'local-commands', username: 'local commands', roles: ['admin'] })
  await app.api.execute('lamp', {}, bearer(token!))
  expect(app.log.filter((line) => line.includes(token!))).toEqual([])
  await app[Symbol.asyncDispose]()
  await using again = await start({ directory: directory.path })
  expect((await again.api.send('GET', 'auth/me', undefined, bearer(token!))).status).toBe(401)
  const history = await again.api.send('GET', 'executions', undefined, await asAdmin(again))
  expect(history.text).toContain('"principal":"local-commands"')
})

async function asAdmin({ api }: TestApp) {
  const who = { username: 'admin', password: PASSWORD }
  const { body } = await api.send<{ access_token: string }>('POST', 'auth/login', who)
  return bearer(body.access_token)
}

async function adminId(app: TestApp): Promise<string> {
  const { body } = await app.api.send<{ user_id: string }>('GET', 'auth/me', undefined, await asAdmin(app))
  return body.user_id
}
