import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSecurityStage, type SecurityStage } from '../support/security-stage.ts'

let stage: SecurityStage

beforeAll(async () => {
  stage = await openSecurityStage()
})

afterAll(() => stage[Symbol.asyncDispose]())

const QUOTES = ["'", '"', '`', "')", '"))', "'--"]
const STATEMENTS = [
  ' or 1=1 --',
  ' union select username, password_hash from users --',
  '; drop table http_tools; --',
  '; update users set roles = \'["admin"]\'; --',
  ' and 1=(select count(*) from users) --',
  "|| (select sleep(5)) || '",
  ' order by 999 --',
]
const PAYLOADS = [
  ...QUOTES.flatMap((quote) => STATEMENTS.map((statement) => `x${quote}${statement}`)),
  '%',
  '_',
  '%_%',
  '\\',
  "\\'; select pg_sleep(5); --",
  '$1',
  '?',
  ':name',
  '{"$gt": ""}',
  "x' AND extractvalue(1,concat(0x7e,version()))-- ",
  '1;attach database "/tmp/x" as x',
]

const send = (method: 'GET' | 'POST', path: string, body?: unknown) =>
  stage.api.send(method, path, body, { ...stage.admin.headers })

test('R161 what looks like SQL is a text like any other: kept and given back to the letter, and it finds nothing else', async () => {
  const users = await send('GET', 'users')
  for (const [at, payload] of PAYLOADS.entries()) {
    const draft = { name: `tool-${at}`, description: payload, category: payload, endpoint: `${stage.backend.url}/x` }
    const made = await send('POST', 'tools', { ...draft, tags: [payload] })
    expect([payload, made.status, made.text]).toEqual([payload, 201, made.text])
    const { body } = await send('GET', `tools/tool-${at}`)
    expect(body).toMatchObject({ description: payload, category: payload, tags: [payload] })
  }
  for (const [at, payload] of PAYLOADS.entries()) {
    const text = encodeURIComponent(payload)
    for (const filter of [`category=${text}`, `tag=${text}`]) {
      const { status, body } = await send('GET', `tools?${filter}`)
      expect([payload, status, body['total']]).toEqual([payload, 200, 1])
      expect((body['tools'] as { name: string }[])[0]?.name).toBe(`tool-${at}`)
    }
    for (const path of [`executions?name=${text}`, `executions?principal=${text}`, `audit?actor=${text}`]) {
      const { status, body } = await send('GET', path)
      expect([payload, path, status, body['total']]).toEqual([payload, path, 200, 0])
    }
    expect((await send('GET', `tools/search?q=${text}`)).status).toBe(200)
    expect((await send('GET', `tools/${text}`)).status).toBe(404)
  }
  expect((await send('GET', 'tools?limit=1')).body['total']).toBe(PAYLOADS.length)
  expect((await send('GET', 'users')).body).toEqual(users.body)
})

test('R160 a sentence with words of SQL is a description; what is too large, too deep or of the wrong kind is refused', async () => {
  const draft = { name: 'rows', description: 'Select rows and update them', endpoint: `${stage.backend.url}/x` }
  expect((await send('POST', 'tools', draft)).status).toBe(201)
  expect((await send('GET', 'tools/rows')).body['description']).toBe('Select rows and update them')
  const deep = (levels: number): unknown => (levels === 0 ? {} : { properties: { a: deep(levels - 1) } })
  const wrong: [what: string, body: Record<string, unknown>, status: number][] = [
    ['a wrong kind', { ...draft, name: 'n1', description: 7 }, 422],
    ['NUL in a name', { ...draft, name: 'n\u0000' }, 422],
    ['half a character', { ...draft, name: 'n\ud800' }, 422],
    ['an unknown member', { ...draft, name: 'n2', constructor: {}, isAdmin: true }, 422],
    ['depth', { ...draft, name: 'n3', input_schema: deep(500) }, 400],
    ['size', { ...draft, name: 'n4', description: 'x'.repeat(10 * 2 ** 20 + 1) }, 413],
  ]
  for (const [what, body, status] of wrong)
    expect([what, (await send('POST', 'tools', body)).status]).toEqual([what, status])
  expect((await send('GET', 'tools?q=rows')).body['total']).toBe(1)
  expect((await send('GET', 'tools?limit=1')).body['total']).toBe(PAYLOADS.length + 1)
})
