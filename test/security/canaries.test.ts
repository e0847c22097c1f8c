import { writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readGatewayFile } from '#config/gateway-file'
import { allPids, createCanaries, filesBelow, readProc, type Place } from '../support/canaries.ts'
import { sick, startGatewayChild, type GatewayChild } from '../support/gateway-child.ts'
import { oauthClient, REDIRECT } from '../support/oauth-client.ts'
import { startOtlpReceiver, type OtlpReceiver } from '../support/otlp-receiver.ts'
import { descendants } from '../support/processes.ts'
import { legacyRaw } from '../support/raw-clients.ts'
import { DEAD_URL, startBackend, type RecordingBackend, type Seen } from '../support/recording-backend.ts'
import { printAll, readAll } from '../support/read-everything.ts'
import { newDirectory } from '../support/test-app.ts'
import { until } from '../support/until.ts'

type Headers = Record<string, string>

const canaries = createCanaries()
const { plant, minted } = canaries
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` })

/** What anybody may see, and whoever looks must find. */
const VISIBLE = 'visible-to-everybody'
const ADMIN = { username: 'root', password: plant('the password of the administrator') }

let stack: AsyncDisposableStack
let gateway: GatewayChild
let backend: RecordingBackend
let otlp: OtlpReceiver
let directory: string
let admin: Headers
/** Answers of requests that failed. */
const failures: string[] = []

const send = async (...request: Parameters<GatewayChild['api']['send']>) => {
  const [method, path, body, headers] = request
  const answer = await gateway.api.send<Record<string, string>>(method, path, body, { ...admin, ...headers })
  if (answer.status >= 400) failures.push(answer.text)
  return answer
}
const done = async (...request: Parameters<typeof send>) => {
  const answer = await send(...request)
  expect([request.slice(0, 2), answer.status < 300, answer.text]).toEqual([request.slice(0, 2), true, answer.text])
  return answer.body
}

beforeAll(async () => {
  stack = new AsyncDisposableStack()
  directory = stack.use(await newDirectory()).path
  backend = stack.use(await startBackend())
  otlp = stack.use(await startOtlpReceiver())
  for (const path of ['/mcp', '/mcp-of-the-api']) backend.on(path, (response, seen) => speakMcp(response, seen))
  backend.on('/lamp', '{"on":true}')
  // They tell whoever asks what they were told.
  for (const path of ['/moody', '/broken', '/v1/embeddings', '/rerank', '/registry/v0/servers', '/registry'])
    backend.on(path, (response, seen) => {
      response.writeHead(500, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify({ error: `cannot serve ${seen.path}?${seen.query} for ${JSON.stringify(seen.headers)}` }),
      )
    })
  gateway = stack.use(await startGatewayChild({ directory, env: await environment(), file: await operatorsFile() }))
  await enter()
})

afterAll(() => stack.disposeAsync())

async function environment(): Promise<Record<string, string>> {
  const dead = new URL(DEAD_URL).host
  return {
    META_MCP_ANONYMOUS_ROLE: 'none',
    META_MCP_LOGGING_LEVEL: 'DEBUG',
    META_MCP_DEBUG: 'true',
    META_MCP_ADMIN_USERNAME: ADMIN.username,
    META_MCP_ADMIN_PASSWORD: ADMIN.password,
    META_MCP_SECRET_KEY: plant('the secret key'),
    META_MCP_PREVIOUS_SECRET_KEYS: plant('a previous secret key'),
    META_MCP_REDIS_URL: `redis://:${plant('the password of Redis')}@${dead}`,
    META_MCP_SEARCH_EMBEDDINGS_URL: `${backend.url}/v1`,
    META_MCP_SEARCH_EMBEDDINGS_MODEL: 'words',
    META_MCP_SEARCH_EMBEDDINGS_KEY: plant('the key of the embeddings'),
    META_MCP_SEARCH_RERANK_URL: backend.url,
    META_MCP_SEARCH_RERANK_KEY: plant('the key of the reranker'),
    META_MCP_OTLP_ENDPOINT: otlp.url,
    META_MCP_RATE_LIMIT_LOGIN: '0',
    AWS_SECRET_ACCESS_KEY: plant('a variable of somebody else'),
    TOKEN_OF_THE_FILE: plant('a placeholder of the file'),
    ARGUMENT_OF_THE_FILE: plant('a placeholder in an argument'),
  }
}

async function operatorsFile(): Promise<Record<string, unknown>> {
  const found = {
    mcpServers: {
      found: { url: `${backend.url}/moody`, headers: { 'X-Secret': plant('a header of a file that discovery reads') } },
    },
  }
  await writeFile(join(directory, 'found.json'), JSON.stringify(found))
  const telltale = sick('telltale')
  const args = [...(telltale['args'] as string[]), '--token', '${ARGUMENT_OF_THE_FILE}', `--visible=${VISIBLE}`]
  return {
    servers: {
      telltale: {
        ...telltale,
        args,
        env: {
          API_TOKEN: '${TOKEN_OF_THE_FILE}',
          PASSWORD: plant('a variable of a server'),
          DATABASE: `postgresql://ann:${plant('the password in an address of a variable')}@db.example/x`,
        },
        description: VISIBLE,
      },
      'over-http': {
        url: `${backend.url}/mcp?api_key=${plant('the query of a server')}`,
        headers: {
          Authorization: `Bearer ${plant('the Authorization of a server')}`,
          'X-Api-Key': plant('a header of a server'),
        },
      },
      moody: {
        url: `${backend.url}/moody?token=${plant('the query of a server that fails')}`,
        headers: { 'X-Api-Key': plant('a header of a server that fails') },
      },
    },
    namespaces: { light: {} },
    tools: {
      lamp: {
        endpoint: `${backend.url}/lamp?appid=${plant('the query of a tool')}&access_token=${plant('the token in the query of a tool')}`,
        headers: { 'X-Secret': plant('a header of a tool') },
        description: VISIBLE,
        inputSchema: {
          type: 'object',
          properties: { pin: { type: 'string', writeOnly: true }, phrase: { type: 'string', format: 'password' } },
        },
      },
      broken: {
        endpoint: `${backend.url}/broken?key=${plant('the query of a tool that fails')}`,
        headers: { Authorization: `Basic ${plant('the Authorization of a tool that fails')}` },
      },
    },
    discovery: [
      { kind: 'file', path: join(directory, 'found.json') },
      { kind: 'registry', url: `${backend.url}/registry?token=${plant('the query of a registry')}` },
    ],
  }
}

function speakMcp(response: ServerResponse, { body }: Seen): void {
  const { id, method } = JSON.parse(body || '{}') as { id?: number; method?: string }
  const answers: Record<string, unknown> = {
    initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } },
    'tools/list': { tools: [{ name: 'ping', inputSchema: { type: 'object' } }] },
    'tools/call': { content: [{ type: 'text', text: 'pong' }] },
  }
  const result = answers[method ?? '']
  if (id === undefined) return void response.writeHead(202).end()
  const answer = {
    jsonrpc: '2.0',
    id,
    ...(result === undefined ? { error: { code: -32601, message: 'no' } } : { result }),
  }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
}

/** Every way in that there is while it runs. */
async function enter(): Promise<void> {
  const { body: login } = await gateway.api.send<Record<string, string>>('POST', 'auth/login', ADMIN)
  admin = bearer(minted('an access token', login['access_token'] ?? ''))
  minted('the local token', readGatewayFile(join(directory, 'data'))?.token ?? '')
  await people(minted('a refresh token that was used', login['refresh_token'] ?? ''))
  await overTheApi()
  await calls()
  await overOauth()
  await nonsense()
}

async function people(used: string): Promise<void> {
  const renewed = await done('POST', 'auth/refresh', { refresh_token: used })
  minted('a refresh token', renewed['refresh_token'] ?? '')
  const password = plant('the password of a user')
  const { user_id: id = '' } = await done('POST', 'users', { username: 'ann', password, roles: ['user'] })
  await done('PATCH', `users/${id}`, { password: plant('another password of a user') })
  await send('POST', 'auth/login', { username: 'ann', password: plant('a wrong password') })
  await send('POST', 'auth/login', { username: plant('what was typed as a username'), password })
  const { key = '' } = await done('POST', 'api-keys', { name: VISIBLE })
  minted('an API key', key)
  const session = await gateway.api.send<Record<string, string>>('POST', 'auth/session', ADMIN)
  const cookie = session.headers.get('set-cookie')?.split(';')[0] ?? ''
  minted('the cookie of a session', cookie.split('=')[1] ?? '')
  minted('the CSRF token of a session', session.body['csrf_token'] ?? '')
  expect((await gateway.api.send('GET', 'auth/me', undefined, { cookie })).status).toBe(200)
}

async function overTheApi(): Promise<void> {
  const url = `${backend.url}/mcp-of-the-api?token=${plant('the query of a registered server')}`
  await done('POST', 'proxy/servers', {
    name: 'mine',
    url,
    headers: { 'X-Key': plant('a header of a registered server') },
    description: VISIBLE,
  })
  await until('it has shown its header', () => backend.seen.some(({ path }) => path === '/mcp-of-the-api'))
  await done('PATCH', 'proxy/servers/mine', { headers: { 'X-Key': plant('a changed header of a registered server') } })
  const env = { WEATHER_TOKEN: plant('a variable of a registered server') }
  const args = ['-y', '@scope/weather', '--api-key', plant('an argument of a registered server')]
  await done('POST', 'proxy/servers', { name: 'asleep', command: 'npx', args, env, enabled: false })
  const endpoint = `${backend.url}/lamp?key=${plant('the query of a registered tool')}`
  await done('POST', 'tools', {
    name: 'bulb',
    description: VISIBLE,
    endpoint,
    headers: { 'X-Key': plant('a header of a registered tool') },
  })
  // Refused, each for another reason.
  const body = { name: 'refused', headers: { 'X-Key': plant('a header of a server that was refused') } }
  await send('POST', 'proxy/servers', {
    ...body,
    url: `http://ann:${plant('the password of an address that was refused')}@10.0.0.1/mcp`,
  })
  await send('POST', 'proxy/servers', { ...body, url: 7 })
  await send('POST', 'proxy/servers', {
    name: 'x',
    command: 'sh',
    args: ['-c', 'x', `--password=${plant('an argument of a command that was refused')}`],
  })
}

async function calls(): Promise<void> {
  await gateway.api.send('GET', 'proxy/servers', undefined, admin)
  await until('the servers are online', async () => {
    const { body } = await gateway.api.send<{ servers: { name: string; status: string }[] }>(
      'GET',
      'proxy/servers',
      undefined,
      admin,
    )
    const online = body.servers.filter(({ status }) => status === 'online').map(({ name }) => name)
    return ['telltale', 'over-http', 'mine'].every((name) => online.includes(name))
  })
  await until('the telltale has told', async () =>
    (await send('GET', 'proxy/servers/telltale/logs')).text.includes('started with'),
  )
  const inputs = {
    pin: plant('an argument that is writeOnly'),
    phrase: plant('an argument that is a password'),
    api_key: plant('an argument with a telling name'),
  }
  await done('POST', 'tools/lamp/execute', { arguments: inputs })
  await send('POST', 'tools/lamp/execute', {
    arguments: { ...inputs, pin: { not: 'text', secret: plant('an argument of the wrong type') } },
  })
  await send('POST', 'tools/broken/execute', { arguments: { password: plant('an argument of a call that fails') } })
  await done('POST', 'tools/bulb/execute', {})
  await send('POST', 'tools/search', { query: 'switch the light' })
  const headers = {
    ...admin,
    'x-api-key': plant('a header of a client'),
    cookie: `session=${plant('a cookie of a client')}`,
  }
  await using client = await legacyRaw(gateway.mcp, { headers })
  const { tools } = (await client.call('tools/list', {}))['result'] as { tools: { name: string }[] }
  const ping = tools.find(({ name }) => name.startsWith('over-http'))?.name
  await client.call('tools/call', { name: ping, arguments: { token: plant('an argument over MCP') } })
}

async function overOauth(): Promise<void> {
  const client = oauthClient({ listening: gateway })
  const secret = plant('the secret of a client of OAuth')
  const id = String(
    (await client.register({ redirect_uris: [REDIRECT], client_name: VISIBLE, client_secret: secret })).body[
      'client_id'
    ],
  )
  const { url } = await client.approve(client.authorizeUrl(id, { state: plant('a state') }), ADMIN)
  const code = minted('a code', url.searchParams.get('code') ?? '')
  const { status, body } = await client.redeem(id, code)
  expect([status, body]).toEqual([200, body])
  minted('an access token of a client', String(body['access_token']))
  const refresh = minted('a refresh token of a client', String(body['refresh_token']))
  await using session = await legacyRaw(gateway.mcp, { headers: bearer(String(body['access_token'])) })
  await session.call('tools/list', {})
  const renewed = await client.token({ grant_type: 'refresh_token', client_id: id, refresh_token: refresh })
  minted('the next refresh token of a client', String(renewed.body['refresh_token']))
  for (const each of [
    await client.token({
      grant_type: 'authorization_code',
      client_id: id,
      code: plant('a code that is none'),
      client_secret: secret,
    }),
    await client.redeem(id, code),
  ])
    failures.push(JSON.stringify(each.body))
  for (const cookie of client.browser.setCookies) {
    const value = /^_(?:interaction|session)[^=]*=([\w-]{16,})/.exec(cookie)?.[1]
    if (value !== undefined) minted(`a cookie of OAuth ${cookie.split('=')[0]} ${value.slice(0, 4)}`, value)
  }
}

/** What is refused is not repeated. */
async function nonsense(): Promise<void> {
  await send('GET', 'auth/me', undefined, bearer(plant('a Bearer that is none')))
  await send('GET', 'auth/me', undefined, { authorization: `Basic ${plant('a Basic credential')}` })
  await send('POST', 'auth/refresh', { refresh_token: plant('a refresh token that is none') })
  await send('POST', 'auth/login', `{"username":"ann","password":"${plant('a password in broken JSON')}`)
  await send('POST', 'auth/login', { username: 'ann', password: 7, secret: plant('a member that is not known') })
  await send('GET', `none?access_token=${plant('the query of an unknown route')}`)
  await send('GET', `tools?limit=many&api_key=${plant('the query of a known route')}`)
  const mcp = await fetch(`${gateway.mcp}?access_token=${plant('the query of MCP')}`, {
    method: 'POST',
    headers: bearer(plant('a Bearer of MCP that is none')),
    body: '{',
  })
  failures.push(await mcp.text())
}

const WORDS = 'servers,tools,audit list,audit export,user list,key list,health,doctor,config,search light,remove none'
const COMMANDS = [...WORDS.split(','), `call lamp pin=${plant('an argument of a command')}`].map((line) =>
  line.split(' '),
)

/** What entered is in use: a gateway that forgot it could not betray it. */
test('E1 more than thirty secrets went in, and where they had to go they arrived', () => {
  expect(canaries.size).toBeGreaterThan(30)
  console.log(`${canaries.size} secrets`)
  const arrived = canaries.found([{ name: 'the backend', text: JSON.stringify(backend.seen), control: '/lamp' }])
  const names = [
    'the query of a server',
    'the Authorization of a server',
    'a header of a server',
    'the query of a server that fails',
    'a header of a server that fails',
    'the query of a tool',
    'a header of a tool',
    'the query of a tool that fails',
    'the Authorization of a tool that fails',
    'a header of a registered server',
    'a changed header of a registered server',
    'the query of a registered tool',
    'an argument that is writeOnly',
    'an argument that is a password',
    'an argument with a telling name',
    'an argument over MCP',
    'the key of the embeddings',
    'the key of the reranker',
    'a header of a file that discovery reads',
    'the query of a registry',
  ]
  expect(arrived).toEqual(expect.arrayContaining(names.map((name) => `the backend shows ${name}`)))
})

describe('E1 no secret is to be read', () => {
  test.each([
    ['answers', async () => (await readAll(gateway.api, admin)).join('\n'), VISIBLE],
    ['errors', async () => failures.join('\n'), '"error"'],
    ['metrics', async () => (await gateway.api.send('GET', '/metrics', undefined, admin)).text, 'metamcp_'],
    ['what commands print', async () => printAll(join(directory, 'data'), COMMANDS), VISIBLE],
  ] as const)('in %s', async (name, read, control) => {
    expect(canaries.found([{ name, text: await read(), control }])).toEqual([])
  })

  test('in traces', async () => {
    await until('the spans have come', () => JSON.stringify(otlp.spans).includes('lamp'))
    expect(canaries.found([{ name: 'traces', text: JSON.stringify(otlp.spans), control: 'lamp' }])).toEqual([])
  })

  test('in command lines and environments of other processes than those that must have it', () => {
    const children = descendants(gateway.pid)
    const [telltale] = children.filter((pid) => readProc('environ', [pid]).includes('API_TOKEN'))
    const own = ['a placeholder of the file', 'a variable of a server', 'the password in an address of a variable']
    const others = allPids().filter((pid) => pid !== telltale)
    const places: Place[] = [
      { name: 'command lines', text: readProc('cmdline', others), control: directory },
      {
        name: 'the command line of a server',
        text: readProc('cmdline', [telltale ?? 0]),
        control: VISIBLE,
        own: ['a placeholder in an argument'],
      },
      { name: 'the environment of a server', text: readProc('environ', children), control: 'PATH=', own },
    ]
    expect(canaries.found(places)).toEqual([])
  })

  /** Last: the gateway is at its end, and what it wrote when it ended is there too. */
  test('in the log, or in any file of the gateway', async () => {
    const data = join(directory, 'data')
    const running = { name: 'files', text: filesBelow(data, ['gateway.json']), control: VISIBLE }
    expect(canaries.found([running])).toEqual([])
    gateway.signal('SIGTERM')
    await gateway.exited
    const places: Place[] = [
      { name: 'the log', text: gateway.log(), control: '"level":"debug"' },
      { name: 'files of a gateway that has ended', text: filesBelow(data), control: VISIBLE },
    ]
    expect(canaries.found(places)).toEqual([])
  })
})
