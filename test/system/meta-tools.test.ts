import { expect, test } from 'vitest'
import { startFixture } from '../support/fixture/start-fixture.ts'
import { legacyRaw, modernRaw } from '../support/raw-clients.ts'
import { namesFound, sdkClient } from '../support/sdk-client.ts'
import { startTestApp, type TestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const META = ['search_tools', 'describe_tools', 'call_tool']
const eras = ['legacy', 'modern'] as const

interface Offer {
  readonly name: string
  readonly description: string
}

/** HTTP tools that nobody has to call. */
const tool = ({ name, description }: Offer): object => ({
  name,
  description,
  endpoint: 'http://127.0.0.1:9/',
  input_schema: { type: 'object', properties: { city: { type: 'string', description: 'Where' } } },
})
const OFFERS: readonly Offer[] = [
  { name: 'weather_forecast', description: 'Tells the weather forecast of a city. In degrees.' },
  { name: 'send_invoice', description: 'Sends an invoice to a customer by e-mail.' },
  { name: 'resize_image', description: 'Changes the width and height of a picture.' },
]

/** A gateway with a fixture, three HTTP tools, and namespaces of each kind. */
async function opened(more: object = {}): Promise<TestApp> {
  await using cleanup = new AsyncDisposableStack()
  const fixture = cleanup.use(await startFixture({ era: 'both', name: 'plain-name' }))
  const namespaces = {
    found: { expose: 'search' },
    few: { servers: ['fix'], tools: { include: ['fix__echo', 'fix__add'] }, expose: 'search' },
    pins: { expose: 'search', pinned: ['fix__echo', 'send_*'], overrides: { resize_image: { name: 'send_picture' } } },
    shown: { expose: 'all', pinned: ['fix__echo'] },
    nothing: { servers: [], expose: 'search' },
    ...more,
  }
  const app = cleanup.use(await startTestApp({ file: { servers: { fix: { url: fixture.url } }, namespaces } }))
  await app.api.online('fix')
  for (const offer of OFFERS) expect((await app.api.send('POST', 'tools', tool(offer))).status).toBe(201)
  const kept = cleanup.move()
  return { ...app, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

async function listed(app: TestApp, namespace: string): Promise<string[]> {
  await using raw = modernRaw(`${app.listening.mcp}/${namespace}`)
  const { result = {} } = await raw.call('tools/list')
  return (result['tools'] as { name: string }[]).map(({ name }) => name)
}

test.each(eras)(
  'a namespace that is searched lists three meta-tools, and search_tools gives ranked tools to a $0 client (R111, R052)',
  async (era) => {
    await using app = await opened()
    await using it = await sdkClient(era, `${app.listening.mcp}/found`)
    const { tools } = await it.client.listTools()
    expect(tools.map(({ name }) => name)).toEqual(META)
    for (const { inputSchema, annotations, description } of tools) {
      expect(inputSchema).toMatchObject({ type: 'object', additionalProperties: false })
      expect(annotations?.title).toBeTruthy()
      expect(description?.length).toBeLessThanOrEqual(1000)
    }
    const found = await it.call('search_tools', { query: 'will it rain in Oslo tomorrow', limit: 2 })
    expect(namesFound(found)[0]).toBe('weather_forecast')
    expect(found.structured['tools']).toHaveLength(2)
    expect(found.structured['tools']).toMatchObject([
      { server: 'http', description: 'Tells the weather forecast of a city.', score: expect.any(Number) as number },
      {},
    ])
    const [first = 0, second = 0] = (found.structured['tools'] as { score: number }[]).map(({ score }) => score)
    expect(first).toBeGreaterThanOrEqual(second)
    expect(found.text).toContain('1. weather_forecast (http): Tells the weather forecast of a city.\n2. ')
    expect(namesFound(await it.call('search_tools', { query: 'resize_image' }))[0]).toBe('resize_image')
  },
)

test('search_tools gives complete definitions where they are wanted, to the letter (R111)', async () => {
  await using app = await opened()
  const text = async (namespace: string, method: string, params = {}) => {
    await using raw = modernRaw(`${app.listening.mcp}/${namespace}`)
    return (await raw.send(method, params)).text
  }
  const list = await text('shown', 'tools/list')
  const definition = /\{"name":"fix__unknown_fields".*?(?=,\{"name":"fix__)/.exec(list)?.[0] ?? 'none'
  expect(definition).toContain('"more":1.5')
  const args = { query: 'fix__unknown_fields', limit: 1, detail: 'full' }
  const found = await text('found', 'tools/call', { name: 'search_tools', arguments: args })
  expect(found).toContain(`"definition":${definition}`)
  expect(found).toContain(JSON.stringify(definition).slice(1, -1))
  const names = ['fix__unknown_fields', 'nobody']
  const described = await text('found', 'tools/call', { name: 'describe_tools', arguments: { names } })
  expect(described).toContain(`"structuredContent":{"tools":[${definition}],"unknown":["nobody"]}`)
})

test.each(eras)('what search_tools does is told in the words of the live catalog, $0 client (R111)', async (era) => {
  await using app = await opened()
  await using it = await sdkClient(era, `${app.listening.mcp}/found`)
  const description = async () => (await it.client.listTools({}, { cacheMode: 'bypass' })).tools[0]?.description
  expect(await description()).toMatch(/among \d+ tools of 2 servers/)
  expect(await description()).toContain('fix (')
  expect(await description()).toContain('MetaMCP test fixture')
  expect(await description()).toContain('http (3): weather_forecast, send_invoice, resize_image')
  await app.api.send('DELETE', 'tools/send_invoice')
  expect(await description()).toContain('http (2): weather_forecast, resize_image')
  const instructions = it.client.getInstructions()
  expect(instructions).toMatch(/^The tools here are not all listed: find them with search_tools/)
  await using other = await sdkClient(era, `${app.listening.mcp}/shown`)
  expect(other.client.getInstructions() ?? '').not.toContain('search_tools')
})

test('the index follows servers and tools as they come and go (R111)', async () => {
  await using app = await opened()
  await using late = await startFixture({ era: 'legacy' })
  await using it = await sdkClient('legacy', `${app.listening.mcp}/found`)
  const best = async (query: string) => namesFound(await it.call('search_tools', { query, limit: 3 }))
  expect(await best('late__echo')).not.toContain('late__echo')
  expect((await app.api.send('POST', 'proxy/servers', { name: 'late', url: late.url })).status).toBe(201)
  await app.api.online('late')
  expect((await best('late__echo'))[0]).toBe('late__echo')
  expect((await app.api.send('DELETE', 'proxy/servers/late')).status).toBe(204)
  expect((await best('late__echo')).join()).not.toContain('late__')
})

test('where there are no tools a search says so (R052)', async () => {
  await using app = await opened()
  await using it = await sdkClient('modern', `${app.listening.mcp}/nothing`)
  const none = await it.call('search_tools', { query: 'weather' })
  expect(none).toMatchObject({ isError: false, structured: { tools: [], nearest: [] } })
  expect(none.text).toBe('No tool fits "weather". There are no tools here at the moment.')
})

test('nothing outside of a namespace is found, described, hinted at or called (R111)', async () => {
  await using app = await opened()
  await using it = await sdkClient('legacy', `${app.listening.mcp}/few`)
  const visible = ['fix__add', 'fix__echo']
  for (const query of ['weather_forecast', 'fix__slow', 'send an invoice', 'echo', 'a'])
    expect(visible).toEqual(
      expect.arrayContaining(namesFound(await it.call('search_tools', { query, limit: 50, detail: 'full' }))),
    )
  const all = await it.call('describe_tools', { names: ['weather_forecast', 'fix__slow'] })
  expect(all.isError).toBe(true)
  expect(all.text).toMatch(/^No tool is called "weather_forecast", "fix__slow"\. The nearest names: fix__/)
  expect(
    all.text
      .replace(/^.*nearest names: /, '')
      .match(/[\w]+/g)
      ?.toSorted(),
  ).toEqual(visible)
  const part = await it.call('describe_tools', { names: ['send_invoice', 'fix__add', 'fix__add'] })
  expect(part).toMatchObject({
    isError: false,
    structured: { tools: [{ name: 'fix__add' }], unknown: ['send_invoice'] },
  })
  await expect(it.call('call_tool', { name: 'weather_forecast' })).rejects.toMatchObject({
    code: -32602,
    message: expect.stringContaining('Unknown tool: weather_forecast') as string,
  })
  const { tools } = await it.client.listTools()
  expect(JSON.stringify(tools)).not.toMatch(/weather|invoice|slow|http \(/)
})

test('pinned tools are listed beside the meta-tools under the names that clients see (R111)', async () => {
  await using app = await opened()
  expect(await listed(app, 'pins')).toEqual(['fix__echo', 'send_invoice', 'send_picture', ...META])
  expect(await listed(app, 'shown')).not.toContain('search_tools')
  await using it = await sdkClient('legacy', `${app.listening.mcp}/pins`)
  expect(await it.call('fix__echo', { message: 'pinned' })).toMatchObject({ text: 'pinned' })
  expect(await it.call('fix__add', { a: 1, b: 2 }), 'hidden and called directly').toMatchObject({ text: '3' })
})

test('auto shows the tools while they are few, the meta-tools while they are many, and tells of the switch (R111)', async () => {
  await using app = await opened({ auto: { expose: 'auto', tools: { exclude: ['fix__*'] }, pinned: ['send_invoice'] } })
  await using raw = await legacyRaw(`${app.listening.mcp}/auto`)
  const state = async () => (await app.api.send('GET', 'namespaces/auto')).body
  const heard = () => raw.heard.filter(({ method }) => method === 'notifications/tools/list_changed').length
  expect(await listed(app, 'auto')).toEqual(OFFERS.map(({ name }) => name))
  expect(await state()).toMatchObject({ expose: 'auto', expose_now: 'all', pinned: ['send_invoice'] })
  const before = heard()
  await app.api.send('POST', 'tools', tool({ name: 'wordy', description: 'word '.repeat(3900) }))
  await app.api.send('POST', 'tools', tool({ name: 'wordier', description: 'word '.repeat(3900) }))
  await app.api.send('POST', 'tools', tool({ name: 'wordiest', description: 'word '.repeat(3900) }))
  expect(await listed(app, 'auto')).toEqual(['send_invoice', ...META])
  expect(await state()).toMatchObject({ expose_now: 'search' })
  await until('list_changed', () => heard() > before)
  await app.api.send('DELETE', 'tools/wordy')
  expect(await listed(app, 'auto')).toHaveLength(5)
  expect(await state()).toMatchObject({ expose_now: 'all' })
})

test('a namespace that changes how it shows its tools tells its clients (R112)', async () => {
  await using app = await opened()
  await using raw = await legacyRaw(`${app.listening.mcp}/shown`)
  const change = async (body: object) => {
    const before = raw.heard.length
    expect((await app.api.send('PUT', 'namespaces/shown', body)).status).toBe(200)
    await until('list_changed', () => raw.heard.length > before)
    return listed(app, 'shown')
  }
  expect(await change({ expose: 'search' })).toEqual(META)
  expect(await change({ expose: 'search', pinned: ['fix__echo'] })).toEqual(['fix__echo', ...META])
  expect(await change({ expose: 'all' })).not.toContain('search_tools')
})

test('/mcp follows META_MCP_EXPOSE (R111)', async () => {
  await using app = await startTestApp({ env: { META_MCP_EXPOSE: 'search' } })
  await app.api.send('POST', 'tools', tool({ name: 'weather', description: 'Tells it' }))
  await using it = await sdkClient('legacy', app.listening.mcp)
  expect((await it.client.listTools()).tools.map(({ name }) => name)).toEqual(META)
  expect(namesFound(await it.call('search_tools', { query: 'weather' }))).toEqual(['weather'])
})

test('arguments that a meta-tool cannot take are told to the model, which can mend them (R111)', async () => {
  await using app = await opened()
  await using it = await sdkClient('modern', `${app.listening.mcp}/found`)
  const wrong: [string, Record<string, unknown>, RegExp][] = [
    ['search_tools', {}, /required property 'query'/],
    ['search_tools', { query: '' }, /query must NOT have fewer than 1 characters/],
    ['search_tools', { query: 'x', limit: 0 }, /limit must be >= 1/],
    ['search_tools', { query: 'x', limit: 'many' }, /limit must be integer/],
    ['search_tools', { query: 'x', detail: 'some' }, /detail must be equal to one of/],
    ['search_tools', { query: 'x', server: 'fix' }, /additional properties \(server\)/],
    ['describe_tools', { names: 'fix__echo' }, /names must be array/],
    ['describe_tools', { names: [] }, /names must NOT have fewer than 1/],
    ['call_tool', { arguments: {} }, /required property 'name'/],
    ['call_tool', { name: 'fix__echo', message: 'flat' }, /additional properties \(message\)/],
    ['call_tool', { name: 7 }, /name must be string/],
  ]
  for (const [name, args, told] of wrong) {
    const { isError, text } = await it.call(name, args)
    expect([isError, text], JSON.stringify(args)).toEqual([true, expect.stringMatching(told)])
    expect(text).toContain(`Invalid arguments for ${name}`)
  }
})

test('no text whatever makes search_tools or describe_tools fail in another way than in words (R005, R111)', async () => {
  await using app = await opened()
  await using it = await sdkClient('modern', `${app.listening.mcp}/found`)
  const texts = ['\0', '\ud800', "'; drop table tools; --", '(a+)+$', '東京の天気', '\u202e', '🌧️', '__proto__', ' ']
  for (const query of [...texts, 'weather '.repeat(1250)]) {
    const { isError, text } = await it.call('search_tools', { query })
    expect(isError, query.slice(0, 20)).toBe(false)
    expect(text).toMatch(/^Best first:|^No tool fits/)
    expect((await it.call('describe_tools', { names: [query] })).isError).toBe(true)
  }
  const long = await it.call('search_tools', { query: 'x'.repeat(100_000) })
  expect(long).toMatchObject({ isError: true, text: expect.stringContaining('more than 10000 characters') as string })
})
