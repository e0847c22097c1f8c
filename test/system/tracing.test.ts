import { expect, test } from 'vitest'
import { sick } from '../support/gateway-child.ts'
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts'
import { legacyRaw, modernRaw } from '../support/raw-clients.ts'
import { DEAD_URL, startBackend } from '../support/recording-backend.ts'
import { scrape } from '../support/scrape.ts'
import { startTestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const CALLER_SPAN = '00f067aa0ba902b7'
const SAMPLED = `00-${TRACE}-${CALLER_SPAN}-01`
const UNSAMPLED = `00-${TRACE}-${CALLER_SPAN}-00`

const env = ({ url }: Pick<OtlpReceiver, 'url'>, more: Record<string, string> = {}) => ({
  META_MCP_OTLP_ENDPOINT: url,
  ...more,
})

/** The spans of one trace, once the one that ends last is there. */
async function traceOf({ spans }: OtlpReceiver, traceId: string): Promise<readonly ReceivedSpan[]> {
  const found = () => spans.filter((span) => span.traceId === traceId)
  await until(`trace ${traceId}`, () => found().some(({ kind }) => kind === 2))
  return found()
}

test('a call is one trace from surface to client, each part within the one above it, and goes on to the server (R243)', async () => {
  await using collector = await startOtlpReceiver()
  await using backend = await startBackend()
  backend.on('/good', '{}')
  await using app = await startTestApp({
    file: { tools: { good: { endpoint: `${backend.url}/good` } } },
    env: env(collector),
  })
  const { body } = await app.api.execute('good', { secret: 'canary' }, { traceparent: SAMPLED })
  const spans = await traceOf(collector, TRACE)
  const [root] = spans.filter(({ parentSpanId }) => parentSpanId === CALLER_SPAN)
  expect(root).toMatchObject({
    kind: 2,
    facts: { 'gen_ai.tool.name': 'good', 'metamcp.execution.id': body.execution_id },
  })
  const way: string[] = []
  for (let at = root; at; at = spans.find(({ parentSpanId }) => parentSpanId === at?.spanId)) way.push(at.name)
  const before = ['validate-arguments', 'limit-concurrency']
  expect(way).toEqual(['tools/call rest', ...before, 'retry', 'breaker', 'timeout', 'POST'])
  const client = spans.find(({ kind }) => kind === 3)
  expect(backend.seen[0]?.headers['traceparent']).toBe(`00-${TRACE}-${client?.spanId}-01`)
  for (const { startTimeUnixNano: from, endTimeUnixNano: to } of spans) expect(BigInt(to) >= BigInt(from)).toBe(true)
  expect(JSON.stringify(spans)).not.toContain('canary')
  await until('the history has it', async () => {
    const { body: kept } = await app.api.send('GET', `executions/${body.execution_id}`)
    return kept['trace_id'] === TRACE
  })
})

test('a call without a trace begins one, known to history and log by the same id', async () => {
  await using collector = await startOtlpReceiver()
  await using app = await startTestApp({ file: { servers: { teller: sick('tells-meta') } }, env: env(collector) })
  await app.api.online('teller')
  const { body } = await app.api.execute('teller__meta')
  const told = JSON.parse(body.result.content[0]?.text ?? 'null') as { traceparent?: string }
  const [, traceId = ''] = told.traceparent?.split('-') ?? []
  const spans = await traceOf(collector, traceId)
  const client = spans.find(({ kind }) => kind === 3)
  expect(told.traceparent, 'a pipe has no headers').toBe(`00-${traceId}-${client?.spanId}-01`)
  expect(client).toMatchObject({ name: 'tools/call', facts: { 'metamcp.server': 'teller', 'mcp.transport': 'stdio' } })
  expect(spans.find(({ kind }) => kind === 2)?.parentSpanId ?? '').toBe('')
  const lines = app.log.map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines.find(({ msg }) => msg === 'call finished')).toMatchObject({ traceId })
})

test.each([
  ['a header', { traceparent: SAMPLED }, {}],
  ['_meta', {}, { _meta: { traceparent: SAMPLED } }],
])('a client of either era hands its trace over in %s', async (_where, headers, meta) => {
  await using collector = await startOtlpReceiver()
  await using app = await startTestApp({ file: { servers: { teller: sick('tells-meta') } }, env: env(collector) })
  await app.api.online('teller')
  await using legacy = await legacyRaw(app.listening.mcp, { headers })
  await using modern = modernRaw(app.listening.mcp, { headers })
  for (const client of [legacy, modern]) {
    const { result } = await client.call('tools/call', { name: 'teller__meta', arguments: {}, ...meta })
    expect(JSON.stringify(result)).toContain(TRACE)
    expect(JSON.stringify(result), 'the way leads through us').not.toContain(CALLER_SPAN)
  }
  const roots = () => collector.spans.filter(({ parentSpanId }) => parentSpanId === CALLER_SPAN)
  await until('both traces', () => roots().length === 2)
})

test('what failed says so with its code', async () => {
  await using collector = await startOtlpReceiver()
  await using app = await startTestApp({
    file: { tools: { dead: { endpoint: DEAD_URL } } },
    env: env(collector),
  })
  await app.api.execute('dead', {}, { traceparent: SAMPLED })
  const failed = (await traceOf(collector, TRACE)).filter(({ status }) => status.code === 2)
  expect(failed.map(({ kind, facts }) => [kind, facts['error.type']])).toEqual(
    expect.arrayContaining([
      [2, 'upstream_unavailable'],
      [3, 'upstream_unavailable'],
    ]),
  )
})

/** Where nobody traces, nothing of what a caller sends is touched. */
test.each([
  ['tracing is off', {}],
  ['the share is 0', { META_MCP_TRACE_SAMPLE_RATIO: '0' }],
])('where %s, or the caller says no, a call passes as it came and leaves no span', async (what, more) => {
  await using collector = await startOtlpReceiver()
  const settings = what === 'tracing is off' ? {} : env(collector, more)
  await using app = await startTestApp({ file: { servers: { teller: sick('tells-meta') } }, env: settings })
  await app.api.online('teller')
  await using modern = await legacyRaw(app.listening.mcp)
  const meta = async (params: Record<string, unknown>) => {
    const { result } = await modern.call('tools/call', { name: 'teller__meta', ...params })
    return (result?.['content'] as { text: string }[] | undefined)?.[0]?.text
  }
  expect(await meta({})).toBe('null')
  expect(await meta({ _meta: { traceparent: UNSAMPLED } })).toBe(JSON.stringify({ traceparent: UNSAMPLED }))
  await app.app.close()
  expect(collector.requests).toBe(0)
})

test('OTEL_EXPORTER_OTLP_ENDPOINT is understood, too', async () => {
  await using collector = await startOtlpReceiver()
  await using app = await startTestApp({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/` } })
  await app.api.execute('nobody', {}, { traceparent: SAMPLED })
  expect(await traceOf(collector, TRACE)).toHaveLength(1)
})

/** F23: what watches must never be what breaks. */
test.each(['dead', 'hang', 'refuse'] as const)(
  'a collector that is %s holds up no call, nor the end (F23)',
  async (how) => {
    await using collector = await startOtlpReceiver()
    if (how === 'dead') await collector[Symbol.asyncDispose]()
    else collector.behave(how)
    await using app = await startTestApp({
      file: { servers: { healthy: sick('healthy') } },
      env: env(collector, { META_MCP_LOGGING_LEVEL: 'WARNING' }),
    })
    await app.api.online('healthy')
    await using client = modernRaw(app.listening.mcp)
    const calls = Array.from({ length: 500 }, () =>
      client.call('tools/call', { name: 'healthy__echo', arguments: { said: 'x' } }),
    )
    const answers = await Promise.all(calls)
    expect(answers.filter(({ result }) => JSON.stringify(result).includes('"x"'))).toHaveLength(500)
    if (how !== 'hang') {
      await until(
        'it is noted',
        async () => (await scrape(app.listening.url)).sum('metamcp_trace_spans_total', { outcome: 'failed' })! > 0,
      )
      expect(app.log.filter((line) => line.includes('traces cannot be delivered'))).toHaveLength(1)
    }
    const since = performance.now()
    await app.app.close()
    expect(performance.now() - since).toBeLessThan(8000)
  },
)
