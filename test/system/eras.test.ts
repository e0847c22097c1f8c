import { expect, test } from 'vitest'
import { answer, methodsOf, stage, textOf, tool } from '../support/era-stage.ts'
import { ASKABLE, legacyRaw, modernRaw, type RawClient } from '../support/raw-clients.ts'
import type { Json } from '../support/raw-http.ts'
import type { Era } from '../support/fixture/versions.ts'
import { until } from '../support/until.ts'

interface Cell {
  readonly client: Era
  readonly upstream: Era
}

const cells: readonly Cell[] = [
  { client: 'legacy', upstream: 'legacy' },
  { client: 'legacy', upstream: 'modern' },
  { client: 'modern', upstream: 'legacy' },
  { client: 'modern', upstream: 'modern' },
]

const SERVER_INFO = 'io.modelcontextprotocol/serverInfo'

async function connect({ client }: Cell, url: string, capabilities: Json = ASKABLE): Promise<RawClient> {
  if (client === 'modern') return modernRaw(url, { capabilities, answer, logLevel: 'info' })
  const raw = await legacyRaw(url, { capabilities, answer })
  expect((await raw.call('logging/setLevel', { level: 'info' })).result).toEqual({})
  return raw
}

test.each(cells)(
  'lists, reads, prompts and completions speak the client’s era: $client client, $upstream upstream (R110, R113)',
  async (cell) => {
    await using place = await stage(cell.upstream)
    await using client = await connect(cell, place.url)
    for (const [method, member] of [
      ['tools/list', 'tools'],
      ['resources/list', 'resources'],
      ['resources/templates/list', 'resourceTemplates'],
      ['prompts/list', 'prompts'],
    ] as const) {
      const { result = {} } = await client.call(method)
      expect((result[member] as unknown[]).length).toBeGreaterThan(0)
      expectDress(cell, result, true)
    }
    const read = await client.call('resources/read', { uri: 'test://static-text' })
    expect(read.result?.['contents']).toMatchObject([{ uri: 'test://static-text' }])
    expectDress(cell, read.result ?? {}, true)
    const prompt = await client.call('prompts/get', {
      name: 'fix__test_prompt_with_arguments',
      arguments: { arg1: 'x', arg2: 'y' },
    })
    expect(JSON.stringify(prompt.result)).toContain(`arg1='x', arg2='y'`)
    expectDress(cell, prompt.result ?? {}, false)
    const completion = await client.call('completion/complete', {
      ref: { type: 'ref/prompt', name: 'fix__test_prompt_with_arguments' },
      argument: { name: 'arg1', value: 'pari' },
    })
    expect(completion.result?.['completion']).toMatchObject({ values: ['paris'] })
    const called = await client.call('tools/call', tool('echo', { message: 'hi' }))
    expect(called.result?.['structuredContent']).toEqual({ message: 'hi' })
    expectDress(cell, called.result ?? {}, false)
  },
)

/** A modern result names its kind, its server and how long it keeps; a legacy one has none of the three. */
function expectDress({ client, upstream }: Cell, result: Json, isCacheable: boolean): void {
  if (client === 'legacy') {
    for (const key of ['resultType', 'ttlMs', 'cacheScope']) expect(result).not.toHaveProperty(key)
    return
  }
  expect(result['resultType']).toBe('complete')
  expect((result['_meta'] as Json)[SERVER_INFO], upstream).toMatchObject({ name: expect.any(String) as string })
  if (!isCacheable) return
  expect(result['ttlMs']).toEqual(expect.any(Number))
  expect(['public', 'private']).toContain(result['cacheScope'])
}

test.each(cells)(
  'progress and log messages come before the answer, with the client’s own token: $client client, $upstream upstream (R110)',
  async (cell) => {
    await using place = await stage(cell.upstream)
    await using client = await connect(cell, place.url)
    const params = tool('report_marker', { marker: 'mine', total: 9 }, { _meta: { progressToken: 0 } })
    expect(textOf(await client.call('tools/call', params, { id: 'ä1' }))).toBe('mine of 9')
    expect(methodsOf(client.heard)).toEqual([
      'notifications/message',
      ...Array<string>(3).fill('notifications/progress'),
    ])
    expect(client.heard.slice(1).map(({ params: each }) => each)).toEqual(
      [1, 2, 3].map((progress) => ({ progressToken: 0, progress, total: 9 })),
    )
  },
)

test.each(cells)(
  'elicitation, sampling and roots reach the client, one by one and together: $client client, $upstream upstream (R110)',
  async (cell) => {
    await using place = await stage(cell.upstream)
    await using client = await connect(cell, place.url)
    const call = async (name: string, args: Json = {}) => textOf(await client.call('tools/call', tool(name, args)))
    expect(await call('elicit_marker', { marker: 'm' })).toBe('m:m')
    expect(await call('test_sampling', { prompt: 'capital?' })).toBe('LLM response: Paris')
    expect(await call('test_input_required_result_list_roots')).toBe('Roots: home')
    expect(await call('test_input_required_result_multiple_inputs')).toBe('Paris Ada, roots: home')
    expect(await call('test_input_required_result_multi_round')).toBe('Ada likes red')
    const prompt = await client.call('prompts/get', { name: 'fix__test_input_required_result_prompt' })
    expect(JSON.stringify(prompt.result)).toContain('Use this context: tests')
  },
)

test.each(cells)(
  'a client that can be asked nothing gets an error, never a hang: $client client, $upstream upstream (R110)',
  async (cell) => {
    await using place = await stage(cell.upstream)
    await using client = await connect(cell, place.url, {})
    const { error, result } = await client.call('tools/call', tool('test_sampling', { prompt: 'x' }))
    if (cell.client === 'modern')
      expect(error).toMatchObject({ code: -32021, data: { requiredCapabilities: { sampling: {} } } })
    else expect(error ?? (result?.['isError'] === true && result)).toBeTruthy()
  },
)

test.each(cells)(
  'errors cross with code, message and data; a missing resource has the code of the era: $client client, $upstream upstream (R113)',
  async (cell) => {
    await using place = await stage(cell.upstream)
    await using client = await connect(cell, place.url)
    const failure = { code: -31_999, message: 'as told', data: { deep: [1, null, { unknown: true }] } }
    expect((await client.call('tools/call', tool('fail_rpc', failure))).error).toEqual(failure)
    const missing = await client.call('resources/read', { uri: 'test://template-less' })
    expect(missing.error).toMatchObject({
      code: cell.client === 'legacy' ? -32002 : -32602,
      data: { uri: 'test://template-less' },
    })
    expect((await client.call('tools/call', tool('nowhere'))).error).toMatchObject({ code: -32602 })
    const failed = await client.call('tools/call', tool('test_error_handling'))
    expect(failed.result).toMatchObject({ isError: true })
  },
)

test.each(cells)(
  'a cancelled call is cancelled at its server: $client client, $upstream upstream (R113)',
  async (cell) => {
    await using place = await stage(cell.upstream)
    const { state } = place.fixture
    const params = tool('slow', { ms: 60_000 })
    if (cell.client === 'modern') {
      await using client = modernRaw(place.url)
      const hangUp = new AbortController()
      const lost = client.call('tools/call', params, { signal: hangUp.signal })
      await until('the call runs', () => state.calls['slow'] === 1)
      hangUp.abort()
      await expect(lost).rejects.toThrow()
    } else {
      await using client = await legacyRaw(place.url)
      // What was cancelled has no answer.
      const answered = client.call('tools/call', params, { id: 'call 1' }).catch(() => undefined)
      await until('the call runs', () => state.calls['slow'] === 1)
      // Another id, a number for a string: nothing that runs.
      await client.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } })
      await client.call('ping', {}, { id: 2 })
      expect(state.cancellations).toBe(0)
      await client.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'call 1' } })
      await answered
    }
    await until('the server was told', () => state.cancellations === 1)
  },
)

test.each(cells)(
  'changed lists and updated resources are announced: $client client, $upstream upstream (R112)',
  async (cell) => {
    await using place = await stage(cell.upstream)
    await using client = await connect(cell, place.url)
    const stop = await listen(cell, client)
    const change = async (name: string, args: Json = {}) => client.call('tools/call', tool(name, args), { id: 3 })
    await change('test_trigger_tool_change')
    await until('tools', () => methodsOf(client.heard).includes('notifications/tools/list_changed'))
    const names = async () => JSON.stringify((await client.call('tools/list', {}, { id: 4 })).result)
    expect(await names()).toContain('fix__test_dynamic_tool')
    await change('test_trigger_prompt_change')
    await until('prompts', () => methodsOf(client.heard).includes('notifications/prompts/list_changed'))
    await until('the upstream listens', async () => {
      await change('touch', { uri: 'test://watched-resource' })
      return methodsOf(client.heard).includes('notifications/resources/updated')
    })
    const updated = client.heard.find(({ method }) => method === 'notifications/resources/updated')
    expect(updated?.params?.['uri']).toBe('test://watched-resource')
    if (cell.client === 'legacy') expect(updated?.params).toEqual({ uri: 'test://watched-resource' })
    else
      for (const { method, params } of client.heard)
        if (method?.includes('changed') || method?.includes('updated'))
          expect(params?.['_meta']).toMatchObject({ 'io.modelcontextprotocol/subscriptionId': 'listen 1' })
    await stop()
  },
)

/** Subscribes in the words of the era. Answers how to end it. */
async function listen({ client: era }: Cell, client: RawClient): Promise<() => Promise<void>> {
  const uri = 'test://watched-resource'
  if (era === 'legacy') {
    expect((await client.call('resources/subscribe', { uri })).result).toEqual({})
    return async () => expect((await client.call('resources/unsubscribe', { uri })).result).toEqual({})
  }
  const hangUp = new AbortController()
  const notifications = { toolsListChanged: true, promptsListChanged: true, resourceSubscriptions: [uri] }
  const stream = client.call('subscriptions/listen', { notifications }, { id: 'listen 1', signal: hangUp.signal })
  stream.catch(() => undefined)
  await until('acknowledged', () => methodsOf(client.heard).includes('notifications/subscriptions/acknowledged'))
  expect(client.heard[0]?.params?.['notifications']).toEqual(notifications)
  return async () => hangUp.abort()
}
