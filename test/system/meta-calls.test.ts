import { expect, test } from 'vitest'
import { answer, methodsOf, textOf } from '../support/era-stage.ts'
import { startFixture } from '../support/fixture/start-fixture.ts'
import type { Era } from '../support/fixture/versions.ts'
import { answers, ASKABLE, legacyRaw, modernRaw, type RawClient } from '../support/raw-clients.ts'
import type { Json } from '../support/raw-http.ts'
import { sdkClient } from '../support/sdk-client.ts'
import { startTestApp, type TestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

// That everything that a tool says comes through call_tool to the letter is compared in test/process/meta-lossless.test.ts.

const cells = (['legacy', 'modern'] as const).flatMap((client) =>
  (['legacy', 'modern'] as const).map((upstream) => ({ client, upstream })),
)

interface Stage extends AsyncDisposable {
  readonly app: TestApp
  /** Of the namespace that is searched. */
  readonly url: string
}

async function stage(upstream: Era): Promise<Stage> {
  await using cleanup = new AsyncDisposableStack()
  const fixture = cleanup.use(await startFixture({ era: upstream }))
  const file = {
    servers: { fix: { url: fixture.url } },
    tools: {
      strict: {
        endpoint: 'http://127.0.0.1:9/',
        inputSchema: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
      },
    },
    namespaces: { found: { expose: 'search' }, shown: {} },
  }
  const app = cleanup.use(await startTestApp({ file }))
  await app.api.online('fix')
  const kept = cleanup.move()
  return { app, url: `${app.listening.mcp}/found`, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

const connect = async (era: Era, url: string, capabilities: Json = ASKABLE): Promise<RawClient> =>
  era === 'modern' ? modernRaw(url, { capabilities, answer }) : legacyRaw(url, { capabilities, answer })

const byCallTool = (name: unknown, args?: unknown, more: Json = {}): Json => ({
  ...more,
  name: 'call_tool',
  arguments: { name, ...(args === undefined ? {} : { arguments: args }) },
})

test.each(cells)(
  'errors of call_tool are those of the call itself: $client client, $upstream upstream (R111, R005)',
  async ({ client: era, upstream }) => {
    await using place = await stage(upstream)
    await using client = await connect(era, place.url, {})
    const tries: [string, unknown][] = [
      ['no_such_tool', {}],
      ['fix__no_such_tool', {}],
      ['fix__add', { a: 1 }],
      ['fix__add', 'no object'],
      ['fix__add', null],
      ['fix__add', undefined],
      ['fix__fail_rpc', { code: -31_999, message: 'as told', data: { deep: [1, null] } }],
      ['fix__test_sampling', { prompt: 'x' }],
      ['strict', { n: 'one' }],
      ['strict', [1]],
      ['strict', { n: 1 }],
      ['call_tool', { name: 'fix__echo', arguments: { message: 'round and round' } }],
      ['search_tools', { query: 'x' }],
    ]
    for (const [name, args] of tries) {
      // These three names mean a meta-tool here; elsewhere they are as unknown as through call_tool.
      const isMeta = name === 'call_tool' || name === 'search_tools'
      await using elsewhere = await connect(era, `${place.app.listening.mcp}/shown`, {})
      const direct = await (isMeta ? elsewhere : client).call('tools/call', { name, arguments: args })
      const { error, result } = await client.call('tools/call', byCallTool(name, args))
      expect({ error, result }, `${name} ${JSON.stringify(args)}`).toEqual({
        error: direct.error,
        result: direct.result,
      })
      expect(error ?? result?.['isError']).toBeTruthy()
    }
  },
)

test.each(cells)(
  'a tool that asks back is asked through call_tool, round by round: $client client, $upstream upstream (R110, R111)',
  async ({ client: era, upstream }) => {
    await using place = await stage(upstream)
    await using client = await connect(era, place.url)
    const call = async (name: string, args: Json = {}) =>
      textOf(await client.call('tools/call', byCallTool(name, args)))
    expect(await call('fix__elicit_marker', { marker: 'm' })).toBe('m:m')
    expect(await call('fix__test_sampling', { prompt: 'capital?' })).toBe('LLM response: Paris')
    expect(await call('fix__test_input_required_result_multiple_inputs')).toBe('Paris Ada, roots: home')
    expect(await call('fix__test_input_required_result_multi_round')).toBe('Ada likes red')
  },
)

test.each(['legacy', 'modern'] as const)(
  'a state that a $0 upstream asked with is good for its own call_tool alone (R111)',
  async (upstream) => {
    await using place = await stage(upstream)
    await using client = modernRaw(place.url, { capabilities: ASKABLE })
    const name = 'fix__test_input_required_result_multi_round'
    const { result = {} } = await client.call('tools/call', byCallTool(name, {}))
    expect(result).toMatchObject({ resultType: 'input_required', requestState: expect.any(String) as string })
    const { requestState } = result
    const more = { requestState, inputResponses: await answers(result, answer) }
    const other = await client.call('tools/call', byCallTool(name, { other: 1 }, more))
    expect(other.error).toMatchObject({ code: -32602, message: 'The requestState belongs to another request' })
    const next = await client.call('tools/call', byCallTool(name, {}, more))
    expect(next.result).toMatchObject({ resultType: 'input_required', requestState: expect.any(String) as string })
    expect(next.result?.['requestState']).not.toBe(requestState)
    const rest = {
      requestState: next.result?.['requestState'],
      inputResponses: await answers(next.result ?? {}, answer),
    }
    const last = await client.call('tools/call', byCallTool(name, {}, rest))
    expect(last.result).toMatchObject({ resultType: 'complete' })
  },
)

test.each(cells)(
  'progress has the client’s own token, and the history the tool itself: $client client, $upstream upstream (R053, R111)',
  async ({ client: era, upstream }) => {
    await using place = await stage(upstream)
    await using client = await connect(era, place.url)
    const meta = { _meta: { progressToken: 'ü/1' } }
    const said = await client.call('tools/call', byCallTool('fix__report_marker', { marker: 'mine', total: 3 }, meta))
    expect(textOf(said)).toBe('mine of 3')
    expect(methodsOf(client.heard).filter((method) => method === 'notifications/progress')).toHaveLength(3)
    for (const { params } of client.heard.filter(({ method }) => method === 'notifications/progress'))
      expect(params).toMatchObject({ progressToken: 'ü/1', total: 3 })
    await until('the history has it', async () => {
      const { text } = await place.app.api.send('GET', 'executions')
      return text.includes('fix__report_marker')
    })
    expect((await place.app.api.send('GET', 'executions')).text).not.toContain('call_tool')
  },
)

test('a call_tool that is cancelled stops the tool (R111)', async () => {
  await using place = await stage('legacy')
  await using client = await legacyRaw(place.url)
  const gone = client
    .call('tools/call', byCallTool('fix__slow', { ms: 60_000 }), { id: 'slow' })
    .catch(() => 'no answer')
  const stats = async () =>
    (await client.call('tools/call', byCallTool('fix__stats'))).result?.['structuredContent'] as {
      calls: { slow?: number }
      cancellations: number
    }
  await until('it runs', async () => (await stats()).calls.slow === 1)
  await client.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'slow' } })
  expect(await gone).toBe('no answer')
  await until('it stopped', async () => (await stats()).cancellations === 1)
})

test('headers mirror call_tool and its arguments, not the tool that is meant (R113)', async () => {
  await using place = await stage('modern')
  await using client = modernRaw(place.url, {})
  const params = byCallTool('fix__test_x_mcp_header', { region: 'Ötztal' })
  const send = async (headers: Record<string, string>) => client.send('tools/call', params, { headers })
  expect(JSON.stringify((await send({})).messages[0]?.result)).toContain('Ötztal')
  const wrong = await send({ 'mcp-name': 'fix__test_x_mcp_header' })
  expect([wrong.status, wrong.messages[0]?.error?.code]).toEqual([400, -32020])
  // What a client says about arguments that are not its own goes nowhere.
  const stray = await send({ 'mcp-param-region': 'elsewhere' })
  expect(JSON.stringify(stray.messages[0]?.result)).not.toContain('elsewhere')
})

test.each(['legacy', 'modern'] as const)(
  'a tool that is called like a meta-tool is found, described and called through them, $0 client (R111)',
  async (era) => {
    await using place = await stage('legacy')
    const { api, listening } = place.app
    expect((await api.send('PUT', 'tools/fix__echo', { name: 'call_tool' })).status).toBe(200)
    expect((await api.send('PUT', 'namespaces/found', { expose: 'search', pinned: ['call_tool'] })).status).toBe(200)
    await using it = await sdkClient(era, place.url)
    const names = (await it.client.listTools()).tools.map(({ name }) => name)
    expect(names).toEqual(['search_tools', 'describe_tools', 'call_tool'])
    expect(await it.call('describe_tools', { names: ['call_tool'] })).toMatchObject({
      structured: { tools: [{ name: 'call_tool', description: 'Returns the message' }] },
    })
    const echoed = await it.call('call_tool', { name: 'call_tool', arguments: { message: 'hi' } })
    expect(echoed).toMatchObject({ text: 'hi', isError: false })
    await using shown = await sdkClient(era, `${listening.mcp}/shown`)
    expect(await shown.call('call_tool', { message: 'itself' })).toMatchObject({ text: 'itself' })
  },
)

test('a prompt with the name of a meta-tool is a prompt (R111)', async () => {
  await using place = await stage('legacy')
  await using client = await legacyRaw(place.url)
  const { error } = await client.call('prompts/get', { name: 'search_tools' })
  expect(error?.message).toBe('Unknown prompt: search_tools')
  expect((await client.call('ping', { name: 'search_tools' })).result).toEqual({})
})
