import { expect, test } from 'vitest'
import { openTestApi, type TestApi } from '../../test/support/test-api.ts'

const TOOL = { name: 'weather', description: 'Tells the weather', endpoint: 'http://127.0.0.1:9/weather' }
const register = (t: TestApi, body: unknown) => t.send('POST', '/api/v1/tools', body)
const withMember = (member: string) => `${JSON.stringify(TOOL).slice(0, -1)},${member}}`
const deep = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`

const REFUSED = [
  ['malformed JSON', '{', 400],
  ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 400],
  ['a key twice', withMember('"name":"other"'), 400],
  ['a key twice, once in disguise', withMember('"n\\u0061me":"other"'), 400],
  ['nesting of 100,000 levels', withMember(`"metadata":${deep(100_000)}`), 400],
  ['nesting that is deeper than a record may be', withMember(`"metadata":${deep(100)}`), 422],
  ['__proto__ as a field', withMember('"__proto__":{"polluted":1}'), 400],
  ['__proto__ inside metadata', withMember('"metadata":{"a":[{"__proto__":{"polluted":1}}]}'), 400],
  ['__proto__ in disguise', withMember('"metadata":{"\\u005f_proto__":{"polluted":1}}'), 400],
  ['constructor as a field', withMember('"constructor":{"prototype":{"polluted":1}}'), 422],
  ['U+0000 in a name', { ...TOOL, name: 'a\0b' }, 422],
  ['U+0000 in a description', { ...TOOL, description: 'a\0b' }, 422],
  ['U+0000 in a key of metadata', { ...TOOL, metadata: { 'a\0': 1 } }, 422],
  ['half of a surrogate pair in a name', withMember('"category":"\\ud800"'), 422],
  ['half of a surrogate pair in metadata', withMember('"metadata":{"a":["\\udfff"]}'), 422],
  ['a control character in a name', { ...TOOL, name: 'a\u0007b' }, 422],
  ['a name with a blank at its end', { ...TOOL, name: 'weather ' }, 422],
  ['an empty name', { ...TOOL, name: '' }, 422],
  ['a name of 129 characters', { ...TOOL, name: 'x'.repeat(129) }, 422],
  ['a number as name', { ...TOOL, name: 7 }, 422],
  ['an endpoint that is no URL', { ...TOOL, endpoint: 'weather' }, 422],
  ['an endpoint of another scheme', { ...TOOL, endpoint: 'file:///etc/passwd' }, 422],
  ['an endpoint with a password', { ...TOOL, endpoint: 'http://a:b@127.0.0.1/' }, 422],
  ['an endpoint whose host is an argument', { ...TOOL, endpoint: 'http://{host}/' }, 422],
  ['a header that breaks the line', { ...TOOL, headers: { 'X-A': 'a\r\nX-B: b' } }, 422],
  ['a schema that is not one of objects', { ...TOOL, input_schema: { type: 'string' } }, 422],
  ['a security level out of range', { ...TOOL, security_level: 11 }, 422],
] as const

test.each(REFUSED)('R160 %s is refused and nothing is registered', async (_what, body, status) => {
  await using t = await openTestApi()
  const reply = await register(t, body)
  expect({ status: reply.status, error: reply.body }).toMatchObject({ status, error: { error: expect.any(String) } })
  expect(t.deps.registry.httpTools.list()).toEqual([])
  expect(Object.prototype).not.toHaveProperty('polluted')
})

test('R160 10 MB and one byte is refused with 413', async () => {
  await using t = await openTestApi({ bodyBytesMax: 10_485_760 })
  expect((await register(t, `"${'x'.repeat(10_485_758)}"`)).status).toBe(422)
  expect((await register(t, `"${'x'.repeat(10_485_758 + 1)}"`)).status).toBe(413)
})

test.each([
  'Select rows and update them; -- DROP TABLE tools',
  '<script>alert(1)</script> and ../../etc/passwd',
  '日本語 🧪 é',
])('R160 honest text is accepted and comes back: %s', async (description) => {
  await using t = await openTestApi()
  expect((await register(t, { ...TOOL, description })).status).toBe(201)
  expect((await t.send('GET', '/api/v1/tools/weather')).body).toMatchObject({ description })
})

test('R160 U+0000 in a query or an address finds nothing and breaks nothing', async () => {
  await using t = await openTestApi()
  for (const url of [
    '/api/v1/tools?q=%00',
    '/api/v1/executions?name=%00',
    '/api/v1/executions/%00',
    '/api/v1/tools/%00',
  ]) {
    expect((await t.send('GET', url)).status).toBe(422)
  }
})

test('a byte order mark before the JSON does no harm', async () => {
  await using t = await openTestApi()
  expect((await register(t, `\ufeff${JSON.stringify(TOOL)}`)).status).toBe(201)
})
