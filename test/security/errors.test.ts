import { afterAll, beforeAll, expect, test } from 'vitest'
import { ENDPOINTS } from '#http/routes'
import { DEAD_URL } from '../support/recording-backend.ts'
import { legacyRaw } from '../support/raw-clients.ts'
import { openSecurityStage, type SecurityStage } from '../support/security-stage.ts'

let stage: SecurityStage

beforeAll(async () => {
  stage = await openSecurityStage({
    file: (backend) => ({
      servers: { gone: { url: `${DEAD_URL}/mcp` }, none: { command: '/no/such/program', args: ['canary-argument'] } },
      tools: {
        dead: { endpoint: `${DEAD_URL}/x`, description: 'x' },
        broken: { endpoint: `${backend.url}/broken`, description: 'x' },
        strict: {
          endpoint: `${backend.url}/broken`,
          description: 'x',
          inputSchema: { type: 'object', required: ['a'], properties: { a: { type: 'number' } } },
        },
      },
    }),
  })
  stage.backend.on('/broken', (response) => void response.destroy())
})

afterAll(() => stage[Symbol.asyncDispose]())

/** What tells an attacker what he is dealing with. */
const TELLING = [
  /\bat (?:async )?[\w.<>]+ \(/,
  /node:|file:\/\/|node_modules|\.[cm]?[jt]s:\d+/,
  /\/(?:work|tmp|home|usr|var)\//,
  /sqlite|postgres|kysely|select .* from|insert into|constraint/i,
  /fastify|undici|ajv|zod|FST_|UND_|ECONN|ENOENT|ERR_/i,
  /TypeError|SyntaxError|ReferenceError|ZodError/,
]

function expectQuiet(what: unknown, text: string): void {
  for (const pattern of TELLING) expect(text, `${JSON.stringify(what)} tells ${pattern}`).not.toMatch(pattern)
}

const BODIES = [
  undefined,
  '',
  '{',
  '[]',
  'null',
  '"x"',
  '{"a":',
  '\ufeff{}',
  '{"name":1e999}',
  '{"name":null,"roles":"admin","limit":-1}',
  `{"name":${JSON.stringify('x'.repeat(5000))}}`,
  '{"name":"a\\u0000b","username":"\\ud800","query":"\\u0000"}',
  `${'['.repeat(5000)}${']'.repeat(5000)}`,
]
const QUERIES = [
  '',
  '?limit=x',
  '?offset=-1',
  "?q='%20or%201=1--",
  '?limit=1&limit=2',
  '?__proto__=x',
  '?q=%00',
  '?q=%ff',
]
const NAMES = ['nobody', "x'%3B--", '%00', '%ff', '..%2f..%2fetc%2fpasswd', 'a'.repeat(600), '%F0%9F%92%A9']

/** E4: an error says what the caller did, under an id that the log knows, and nothing of what the program is made of. */
test('E4, R132 errors of every route have the one form, a request id, and tell nothing else', async () => {
  for (const { method, path, access } of ENDPOINTS) {
    const isRead = method === 'GET'
    for (const [at, name] of NAMES.entries()) {
      const place = path.replaceAll(/:\w+/g, name)
      const query = isRead ? (QUERIES[at % QUERIES.length] ?? '') : ''
      const body = isRead || method === 'DELETE' ? undefined : BODIES[at % BODIES.length]
      await check(method, `${place}${query}`, body, access)
    }
  }
  for (const body of BODIES)
    for (const path of ['users', 'roles', 'tools', 'tools/search', 'proxy/servers', 'namespaces'])
      await check('POST', `/api/v1/${path}`, body)
  for (const query of QUERIES)
    for (const path of ['users', 'tools', 'executions', 'searches', 'tools/search'])
      await check('GET', `/api/v1/${path}${query}`)
})

async function check(method: (typeof ENDPOINTS)[number]['method'], path: string, body?: string, access = 'self') {
  // What ends the credential that everything is asked with.
  if (path.endsWith('/logout')) return
  const { status, text, headers } = await stage.api.send(method, path, body, { ...stage.admin.headers })
  expect([method, path, body?.slice(0, 40), status < 500]).toEqual([method, path, body?.slice(0, 40), true])
  expect(headers.get('x-request-id')).toMatch(/^[\w-]{8,}$/)
  expect(headers.get('x-powered-by') ?? headers.get('server')).toBeNull()
  if (status < 400) return
  expectQuiet([method, path, body, access], text)
  expect(JSON.parse(text)).toEqual({
    error: expect.stringMatching(/^[a-z_]+$/),
    message: expect.any(String),
    details: expect.any(Object),
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
  })
}

test('E4 what goes wrong behind the gateway is told without its names for things', async () => {
  const admin = { ...stage.admin.headers }
  for (const [tool, args] of [
    ['dead', {}],
    ['broken', {}],
    ['strict', { a: 'x' }],
    ['strict', {}],
    ['nobody', {}],
  ] as const) {
    const { status, text } = await stage.api.execute(tool, args, admin)
    expect([tool, [404, 422, 502].includes(status)]).toEqual([tool, true])
    expectQuiet(tool, text)
  }
  await using client = await legacyRaw(stage.mcp, { headers: admin })
  for (const [method, params] of [
    ['tools/call', { name: 'dead', arguments: {} }],
    ['tools/call', { name: 'broken', arguments: {} }],
    ['tools/call', { name: 7 }],
    ['tools/call', {}],
    ['prompts/get', { name: {} }],
    ['resources/read', { uri: 'x:\u0000' }],
    ['completion/complete', { ref: 7 }],
    ['tools/list', { cursor: 'x' }],
    ['logging/setLevel', { level: 'x' }],
    ['nothing/such', {}],
  ] as const) {
    const answer = await client.call(method, params)
    expectQuiet([method, params], JSON.stringify(answer))
  }
  for (const server of ['gone', 'none']) {
    const { text } = await stage.api.send('GET', `proxy/servers/${server}`, undefined, admin)
    for (const pattern of TELLING.slice(0, 2)) expect(text).not.toMatch(pattern)
  }
})

test('E4 a client that is told an id finds its line in the log', async () => {
  const { headers } = await stage.api.send('GET', 'tools/nobody', undefined, { ...stage.admin.headers })
  const id = headers.get('x-request-id') ?? 'none'
  expect(stage.app.log.some((line) => line.includes(id))).toBe(true)
  for (const odd of ['x'.repeat(500), 'a b', 'a\tb']) {
    const reply = await stage.api.send('GET', 'tools/nobody', undefined, {
      ...stage.admin.headers,
      'x-request-id': odd,
    })
    expect([odd, reply.headers.get('x-request-id') === odd]).toEqual([odd, false])
  }
  const quoting = { ...stage.admin.headers, 'x-request-id': '"},{"level":"info","msg":"forged' }
  await stage.api.send('GET', 'tools/nobody', undefined, quoting)
  for (const line of stage.app.log) expect(JSON.parse(line)).not.toMatchObject({ msg: 'forged' })
})
