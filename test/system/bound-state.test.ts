import { expect, test, vi } from 'vitest'
import { answer, methodsOf, stage, textOf, tool, type Stage } from '../support/era-stage.ts'
import { ASKABLE, answers, legacyRaw, modernRaw } from '../support/raw-clients.ts'
import type { Json, Message } from '../support/raw-http.ts'
import { startFixture } from '../support/fixture/start-fixture.ts'
import { startTestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

test.each(['legacy', 'modern'] as const)(
  'a requestState opens nothing but its own request, once, in time, at its endpoint: $0 upstream (R113)',
  async (upstream) => {
    await using place = await stage(upstream)
    await using client = modernRaw(place.url, { capabilities: ASKABLE })
    const params = tool('test_input_required_result_request_state')
    const ask = async (): Promise<Json> => (await client.call('tools/call', params)).result ?? {}
    const retry = async (asked: Json, changes: Json = {}): Promise<Message> => {
      const { requestState } = asked
      return client.call('tools/call', {
        ...params,
        requestState,
        inputResponses: await answers(asked, answer),
        ...changes,
      })
    }
    const refused = { code: -32602 }
    const asked = await ask()
    const state = String(asked['requestState'])
    for (const tampered of [flipped(state, state.length - 8), flipped(state, 40), '', 7, null])
      expect((await retry(asked, { requestState: tampered })).error, String(tampered)).toMatchObject(refused)
    expect((await retry(asked, { arguments: { other: 1 } })).error).toMatchObject(refused)
    expect((await retry(asked, tool('elicit_marker', { marker: 'x' }))).error).toMatchObject(refused)
    await using elsewhere = modernRaw(`${place.url}/other`, { capabilities: ASKABLE })
    const inputResponses = await answers(asked, answer)
    const abroad = await elsewhere.call('tools/call', { ...params, requestState: state, inputResponses })
    expect(abroad.error).toMatchObject(refused)
    expect(textOf(await retry(asked))).toBe('Confirmed: state-ok')
    // What waits in the gateway resumes once; a modern server's own state is the server's to judge.
    if (upstream === 'legacy') expect((await retry(asked)).error).toMatchObject(refused)
    const late = await ask()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 11 * 60_000 })
    try {
      expect((await retry(late)).error).toMatchObject(refused)
    } finally {
      vi.useRealTimers()
    }
    // None of the refusals has used it up.
    expect(textOf(await retry(late))).toBe('Confirmed: state-ok')
  },
)

function flipped(text: string, at: number): string {
  return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
}

test('progress of a resumed call carries the token of the retry, not of the request before (R110)', async () => {
  await using place = await stage('legacy')
  await using client = modernRaw(place.url, { capabilities: ASKABLE })
  const params = tool('ask_then_report', { marker: 'mine' })
  const asked = (await client.call('tools/call', { ...params, _meta: { progressToken: 'first' } })).result ?? {}
  const inputResponses = await answers(asked, answer)
  const retried = { ...params, requestState: asked['requestState'], inputResponses, _meta: { progressToken: 'second' } }
  expect(textOf(await client.call('tools/call', retried))).toBe('mine')
  expect(client.heard.map(({ params: each }) => each?.['progressToken'])).toEqual(['second', 'second', 'second'])
})

test.each(['before', 'after'] as const)(
  'a legacy client that loses its stream has the rest by Last-Event-ID, come back %s the answer (R113)',
  async (when) => {
    await using place = await stage('legacy')
    await using client = await legacyRaw(place.url)
    const params = tool('slow', { ms: 400, progressEveryMs: 50 }, { _meta: { progressToken: 1 } })
    const hangUp = new AbortController()
    const first = Promise.withResolvers<void>()
    let lastEventId = ''
    const lost = client.post(
      { jsonrpc: '2.0', id: 5, method: 'tools/call', params },
      {
        signal: hangUp.signal,
        onEvent: (message, id = '') => {
          lastEventId = id
          if (message) first.resolve()
        },
      },
    )
    await first.promise
    hangUp.abort()
    await expect(lost).rejects.toThrow()
    if (when === 'after') await until('it is done', async () => slowDone(place))
    const back = new AbortController()
    const seen: Message[] = []
    const answered = Promise.withResolvers<void>()
    const stream = client.get({
      headers: { 'last-event-id': lastEventId },
      signal: back.signal,
      onEvent(message) {
        if (message) seen.push(message)
        if (message?.id === 5) answered.resolve()
      },
    })
    stream.catch(() => undefined)
    await answered.promise
    back.abort()
    expect(seen.slice(0, -1).map(({ params: each }) => each?.['progress'])).toEqual([100, 150, 200, 250, 300, 350, 400])
    expect(textOf(seen.at(-1) ?? {})).toBe('slept 400')
    expect(place.fixture.state.cancellations).toBe(0)
    // The stream that belongs to no call has stayed what it was.
    await client.call('tools/call', tool('test_trigger_tool_change'))
    await until('news', () => methodsOf(client.heard).includes('notifications/tools/list_changed'))
  },
)

async function slowDone({ app }: Stage): Promise<boolean> {
  const { body } = await app.api.send('GET', 'executions')
  return JSON.stringify(body).includes('slow')
}

test('a legacy session is known at its own endpoint only, and not after DELETE (R113)', async () => {
  await using place = await stage('legacy')
  await using client = await legacyRaw(place.url)
  await using other = await legacyRaw(`${place.url}/other`)
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }
  const stranger = await other.post(ping, { headers: { 'mcp-session-id': client.headers['mcp-session-id'] ?? '' } })
  expect(stranger.status).toBe(404)
  expect((await client.post(ping)).messages).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }])
  expect((await client.end()).status).toBe(200)
  expect((await client.post(ping)).status).toBe(404)
  expect((await client.get()).status).toBe(404)
  expect((await client.end()).status).toBe(404)
  expect((await other.post(ping)).status).toBe(200)
})

test('a server on a pipe that was told a stateless client’s roots is free for the next call (R110)', async () => {
  await using cleanup = new AsyncDisposableStack()
  const main = new URL('../support/fixture/main.ts', import.meta.url).pathname
  const fix = { command: process.execPath, args: [main, '--transport', 'stdio', '--era', 'legacy'] }
  const app = cleanup.use(await startTestApp({ file: { servers: { fix } }, env: { META_MCP_LOGGING_LEVEL: 'ERROR' } }))
  await app.api.online('fix')
  const client = cleanup.use(modernRaw(app.listening.mcp, { capabilities: ASKABLE, answer }))
  // More often than there may be sessions with one server.
  for (let round = 0; round < 9; round += 1) {
    const said = await client.call('tools/call', tool('test_input_required_result_list_roots'))
    expect(textOf(said)).toBe('Roots: home')
  }
})

test('one URI at two servers: who subscribed in a namespace hears of that namespace’s server only (R112)', async () => {
  await using cleanup = new AsyncDisposableStack()
  const one = cleanup.use(await startFixture({ era: 'legacy' }))
  const two = cleanup.use(await startFixture({ era: 'legacy' }))
  const servers = { one: { url: one.url }, two: { url: two.url } }
  const namespaces = { first: { servers: ['one'] }, second: { servers: ['two'] } }
  const app = cleanup.use(await startTestApp({ file: { servers, namespaces } }))
  await app.api.online('one', 'two')
  const uri = 'test://watched-resource'
  const listening = async (namespace: string) => {
    const client = cleanup.use(modernRaw(`${app.listening.mcp}/${namespace}`))
    client.call('subscriptions/listen', { notifications: { resourceSubscriptions: [uri] } }).catch(() => undefined)
    await until('acknowledged', () => client.heard.length === 1)
    return client
  }
  const first = await listening('first')
  const second = await listening('second')
  one.state.publish({ method: 'notifications/resources/updated', params: { uri } })
  await until('first hears', () => first.heard.length === 2)
  for (const _ of [1, 2]) two.state.publish({ method: 'notifications/resources/updated', params: { uri } })
  await until('second hears', () => second.heard.length >= 3)
  expect([first.heard.length, second.heard.length]).toEqual([2, 3])
})
