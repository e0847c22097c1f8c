import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HTTP_CASES } from '../support/bad-input/http-cases.ts'
import { ENVELOPE_CASES, JSON_CASES } from '../support/bad-input/json-cases.ts'
import { LEGACY_CASES, MODERN_CASES } from '../support/bad-input/method-cases.ts'
import { JSON_HEADERS, legacyPost, legacyRequest, modernPost, type BadCase } from '../support/bad-input/bad-case.ts'
import { startFixture, type Fixture } from '../support/fixture/start-fixture.ts'
import { httpText, rawExchange, type RawAnswer, type RawOptions } from '../support/raw-socket.ts'
import { startTestApp, type TestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const BODY_BYTES_MAX = 1_048_576
const ONE: RawOptions = { answers: 1 }
const ECHO = { name: 'echo', arguments: { message: 'still here' } }

let fixture: Fixture
let t: TestApp
let port: number
let session: string
let methodsBefore: string
let socketsBefore: number

beforeAll(async () => {
  fixture = await startFixture({ era: 'both' })
  t = await startTestApp({
    file: { servers: { fixture: { url: fixture.url, prefix: '' } }, namespaces: { dev: { servers: ['fixture'] } } },
    env: { META_MCP_MAX_BODY_BYTES: String(BODY_BYTES_MAX) },
  })
  await t.api.online('fixture')
  port = Number(new URL(t.listening.url).port)
  session = await openSession()
  await goodCall()
  methodsBefore = heardUpstream()
  socketsBefore = sockets()
})

afterAll(async () => {
  await t?.[Symbol.asyncDispose]()
  await fixture?.close()
})

async function openSession(version = '2025-11-25'): Promise<string> {
  const params = { protocolVersion: version, capabilities: {}, clientInfo: { name: 'bad', version: '1' } }
  const { answers } = await rawExchange(port, legacyRequest('initialize', params)({ session: '' }), ONE)
  return answers[0]?.headers['mcp-session-id'] ?? ''
}

async function goodCall(): Promise<void> {
  const { answers } = await rawExchange(port, legacyRequest('tools/call', ECHO)({ session }), ONE)
  expect(JSON.parse(answers[0]!.body)).toMatchObject({
    id: 7,
    result: { structuredContent: { message: 'still here' } },
  })
}

/** What the upstream was asked, lists and pings aside: those are the gateway's own. */
function heardUpstream(): string {
  return JSON.stringify(fixture.state.calls)
}

function sockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
}

function refusalIn({ body, headers }: RawAnswer): { code: number | string; id?: unknown } {
  expect(headers['content-type']).toMatch(/^application\/json/)
  const { error, id, ...rest } = JSON.parse(body) as { error: string | { code: number; message: string }; id?: unknown }
  if (typeof error !== 'string') {
    expect(error.message).toMatch(/./)
    return { code: error.code, id }
  }
  expect(Object.keys(rest)).toEqual(['message', 'details', 'timestamp'])
  return { code: error }
}

async function expectRefusal({ bytes, status, code, id = null }: BadCase): Promise<void> {
  const { answers, end } = await rawExchange(port, bytes({ session }), ONE)
  expect({ end, status: answers[0]?.status, body: answers[0]?.body }).toMatchObject({ end: 'answered', status })
  expect(refusalIn(answers[0]!)).toEqual({ code, id })
  expect(heardUpstream()).toBe(methodsBefore)
}

describe('R005 R113 a bad message gets the error of the specification and reaches no server', () => {
  test('there are more than 300 of them', () => {
    const all = [JSON_CASES, ENVELOPE_CASES, LEGACY_CASES, MODERN_CASES, HTTP_CASES]
    expect(all.flat().length).toBeGreaterThan(300)
  })
  test.each(JSON_CASES)('$what', expectRefusal)
  test.each(ENVELOPE_CASES)('$what', expectRefusal)
  test.each(LEGACY_CASES)('legacy: $what', expectRefusal)
  test.each(MODERN_CASES)('modern: $what', expectRefusal)
})

describe('R005 bad HTTP gets a clear answer in time, and the connection ends where it cannot go on', () => {
  test.each(HTTP_CASES)('$what', async ({ bytes, status, code, closes = false, options }) => {
    const wanted = closes ? {} : ONE
    const { answers, end, bytesSent } = await rawExchange(port, bytes({ session }), { ...wanted, ...options })
    const said = { end, statuses: answers.map((each) => each.status), body: answers[0]?.body }
    expect(said).toMatchObject({ end: closes ? 'closed' : 'answered', statuses: [status] })
    if (code === undefined) expect(answers[0]?.body).toBe('')
    else expect(refusalIn(answers[0]!).code).toBe(code)
    if (status === 413) expect(bytesSent).toBeLessThan(32_000_000)
    if (status === 405 && code !== undefined && !closes) expect(answers[0]?.headers['allow']).toMatch(/^[A-Z, ]+$/)
  })
})

const ping = (id: string) => `{"jsonrpc":"2.0","id":${id},"method":"ping"}`

describe('R113 what is odd but right is served', () => {
  test.each(['0', '-1', '9007199254740993', '1e2', '12345678901234567890', '""', '" "', '"é\\u0000😀"', '"\\ud800"'])(
    'the id %s comes back to the letter',
    async (id) => {
      const { answers } = await rawExchange(port, legacyPost(ping(id))({ session }), ONE)
      expect(answers[0]!.body).toBe(`{"jsonrpc":"2.0","id":${id},"result":{}}`)
    },
  )
  test.each([
    ['a byte order mark', `\ufeff${ping('7')}`],
    ['blanks around', ` \r\n\t${ping('7')}\n\n`],
    ['unknown members', '{"x":1,"jsonrpc":"2.0","id":7,"method":"ping","__proto__":{"id":9},"constructor":null}'],
    ['escaped keys', '{"\\u006asonrpc":"2.0","\\u0069d":7,"m\\u0065thod":"p\\u0069ng"}'],
    ['params of any members', '{"jsonrpc":"2.0","id":7,"method":"ping","params":{"__proto__":{},"a":[1e999]}}'],
  ])('%s', async (_what, body) => {
    const { answers } = await rawExchange(port, legacyPost(body)({ session }), ONE)
    expect(answers[0]).toMatchObject({ status: 200, body: '{"jsonrpc":"2.0","id":7,"result":{}}' })
  })
  test.each(['application/json;charset=utf-8', 'Application/JSON', 'application/json ; x=y'])(
    'the content type %s',
    async (type) => {
      const { answers } = await rawExchange(port, legacyPost(ping('7'), { 'content-type': type })({ session }), ONE)
      expect(answers[0]?.status).toBe(200)
    },
  )
  test('a notification, an answer nobody waits for and a cancel of nothing are taken in silence', async () => {
    for (const body of [
      '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{"a":1}}}',
      '{"jsonrpc":"2.0","method":"toString"}',
      '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":[]}}',
      '{"jsonrpc":"2.0","id":99,"result":{}}',
      '{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}',
      '{"jsonrpc":"2.0","id":"__proto__","result":{}}',
    ]) {
      const { answers } = await rawExchange(port, legacyPost(body)({ session }), ONE)
      expect({ body, ...answers[0] }).toMatchObject({ status: 202, body: '' })
    }
  })
  test('a body in chunks of one byte, pipelined requests and one that asks before it sends', async () => {
    const bytes = Buffer.from(ping('7'))
    const head = legacyPost('', { 'content-length': undefined, 'transfer-encoding': 'chunked' })({ session })
    const parts = [...bytes].map((byte) => `1\r\n${String.fromCharCode(byte)}\r\n`)
    expect((await rawExchange(port, [head, ...parts, '0\r\n\r\n'], ONE)).answers[0]?.status).toBe(200)
    const three = Buffer.concat(['1', '"2"', '3'].map((id) => legacyPost(ping(id))({ session })))
    const { answers } = await rawExchange(port, three, { answers: 3 })
    expect(answers.map(({ body }) => (JSON.parse(body) as { id: unknown }).id)).toEqual([1, '2', 3])
    const asking = legacyPost(ping('7'), { expect: '100-continue' })({ session })
    expect((await rawExchange(port, asking, ONE)).answers[0]?.status).toBe(200)
  })
  test('HEAD of a REST address answers as GET, without the body', async () => {
    const { answers } = await rawExchange(port, httpText('HEAD', '/api/v1/health'), { ...ONE, method: 'HEAD' })
    expect(answers[0]).toMatchObject({ status: 200, body: '' })
  })
})

describe('R113 batches exist in 2025-03-26 alone', () => {
  test('each message of one gets its own answer, the bad ones too', async () => {
    const batch =
      '[{"jsonrpc":"2.0","id":1,"method":"ping"},5,{"jsonrpc":"2.0","id":"2","method":"toString"},[],{"id":3}]'
    const old = await openSession('2025-03-26')
    const { answers } = await rawExchange(port, legacyPost(batch)({ session: old }), ONE)
    const said = JSON.parse(answers[0]!.body) as { id: unknown; error?: { code: number } }[]
    expect(said.map(({ id, error }) => [id, error?.code])).toEqual([
      [1, undefined],
      [null, -32600],
      ['2', -32601],
      [null, -32600],
      [3, -32600],
    ])
    await rawExchange(port, httpText('DELETE', '/mcp', { 'mcp-session-id': old }), ONE)
  })
  test.each(['[]', `[${'{"jsonrpc":"2.0","id":1,"method":"ping"},'.repeat(101)}5]`])(
    '%.40s is refused',
    async (body) => {
      const old = await openSession('2025-03-26')
      const { answers } = await rawExchange(port, legacyPost(body)({ session: old }), ONE)
      expect([answers[0]?.status, refusalIn(answers[0]!)]).toEqual([400, { code: -32600, id: null }])
      await rawExchange(port, httpText('DELETE', '/mcp', { 'mcp-session-id': old }), ONE)
    },
  )
})

describe('R005 a broken connection costs nobody else', () => {
  test('an answer that is under way is not mixed with the refusal of what follows it', async () => {
    const call = legacyRequest('tools/call', ECHO)({ session })
    const { answers, end } = await rawExchange(port, Buffer.concat([call, Buffer.from('GARBAGE\r\n\r\n')]))
    expect([end, answers.map(({ status }) => status)]).toEqual(['closed', [200]])
    expect(answers[0]?.body).toContain('still here')
    methodsBefore = heardUpstream()
    const listen = httpText('GET', '/mcp', { accept: 'text/event-stream', 'mcp-session-id': session })
    const stream = await rawExchange(port, [listen, 'GARBAGE\r\n\r\n'])
    expect(stream).toMatchObject({ end: 'closed', rest: expect.not.stringContaining('400') })
  })

  test('hundreds of slow senders keep nobody waiting, and all of them go when their senders go', async () => {
    const slow = [
      'POST /mcp HT',
      'POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ',
      legacyPost('{"json', { 'content-length': '1000' })({ session }),
      httpText('POST', '/api/v1/tools', { ...JSON_HEADERS, 'content-length': '1000' }, '{"name"'),
    ]
    const waiting = Array.from({ length: 200 }, (_, index) =>
      rawExchange(port, slow[index % slow.length]!, { deadlineMs: 700 }),
    )
    const startedAt = performance.now()
    await goodCall()
    await t.api.send('GET', 'health')
    expect(performance.now() - startedAt).toBeLessThan(500)
    expect((await Promise.all(waiting)).map(({ end }) => end)).toEqual(waiting.map(() => 'deadline'))
    methodsBefore = heardUpstream()
  })
})

test('R005 after all of it nothing is lost: no fault in the log, no session or socket left, and a call is answered', async () => {
  await goodCall()
  const modern = await rawExchange(port, modernPost({ method: 'tools/call', params: ECHO }), ONE)
  expect(modern.answers[0]).toMatchObject({ status: 200, body: expect.stringContaining('still here') })
  expect((await t.api.execute('echo', ECHO.arguments)).status).toBe(200)
  const faults = t.log.map((line) => JSON.parse(line) as { level: string }).filter(({ level }) => level === 'error')
  expect(faults).toEqual([])
  await until('no socket is left', () => sockets() <= socketsBefore + 4)
  expect(Object.prototype).not.toHaveProperty('polluted')
})
