import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Context } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor, RandomIdGenerator } from '@opentelemetry/sdk-trace-base'
import type { TracingConfig } from '#config/config'
import type { Logger } from '#kernel/logger'
import type { Span, SpanFacts, TracedCall, Tracer } from '#kernel/span'
import { reportingExporter, type ExportCounts } from './span-export.ts'

/** What waits for a collector that does not take it: then spans are dropped, never calls held up. */
const QUEUE_SPANS_MAX = 2048
const BATCH_SPANS = 512
const BATCH_MS = 1000
const EXPORT_MS_MAX = 5000
/** A collector that is away does not hold up the end of the process. */
const CLOSE_MS_MAX = 2000

export interface TracingDeps {
  readonly settings: TracingConfig
  readonly version: string
  readonly log: Logger
}

/** The tracer, and what leads from it to the collector. */
export interface Tracing extends Tracer, AsyncDisposable {
  counts(): ExportCounts
}

type SdkTracer = ReturnType<BasicTracerProvider['getTracer']>

/** Sends the spans of sampled calls to an OTLP collector, behind the calls and in bounded memory. */
export function openTracing({ settings, version, log }: TracingDeps): Tracing {
  const ids = createIds()
  const exporter = reportingExporter(
    new OTLPTraceExporter({ url: tracesUrl(settings.endpoint), timeoutMillis: EXPORT_MS_MAX }),
    log,
  )
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'metamcp', 'service.version': version }),
    idGenerator: ids,
    spanProcessors: [
      new BatchSpanProcessor(exporter, {
        maxQueueSize: QUEUE_SPANS_MAX,
        maxExportBatchSize: BATCH_SPANS,
        scheduledDelayMillis: BATCH_MS,
        exportTimeoutMillis: EXPORT_MS_MAX,
      }),
    ],
  })
  const tracer = provider.getTracer('metamcp', version)
  return {
    begin(call) {
      if (!isSampled(call.traceparent, settings.sampleRatio)) return undefined
      ids.next = call.traceId
      const options = { kind: SpanKind.SERVER, attributes: factsOf(call) }
      const root = tracer.startSpan(`${call.method} ${call.surface}`, options, parentOf(call.traceparent))
      return spanOf(tracer, root)
    },
    counts: exporter.counts,
    [Symbol.asyncDispose]: () => within(CLOSE_MS_MAX, provider.shutdown()),
  }
}

/** A caller that has decided is followed; else this call's dice are thrown, once for all its spans. */
function isSampled(traceparent: string | undefined, ratio: number): boolean {
  if (traceparent === undefined) return Math.random() < ratio
  return (parseInt(traceparent.slice(-2), 16) & TraceFlags.SAMPLED) !== 0
}

/** A trace that begins here has the id that history and log know the call by. */
function createIds() {
  const random = new RandomIdGenerator()
  return {
    next: '',
    generateTraceId(): string {
      return this.next
    },
    generateSpanId: () => random.generateSpanId(),
  }
}

function parentOf(traceparent: string | undefined): Context {
  const [, traceId, spanId] = traceparent?.split('-') ?? []
  if (traceId === undefined || spanId === undefined) return ROOT_CONTEXT
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true })
}

function factsOf({ id, surface, method, name, principal }: TracedCall): SpanFacts {
  const named = method === 'tools/call' ? { 'gen_ai.tool.name': name } : { 'metamcp.name': name }
  return {
    'mcp.method.name': method,
    ...named,
    'metamcp.execution.id': id,
    'metamcp.surface': surface,
    'enduser.id': principal.id,
  }
}

const KINDS = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT } as const

function spanOf(tracer: SdkTracer, span: ReturnType<SdkTracer['startSpan']>): Span {
  const { traceId, spanId } = span.spanContext()
  const context = trace.setSpan(ROOT_CONTEXT, span)
  return {
    traceparent: `00-${traceId}-${spanId}-01`,
    child: (name, kind, facts = {}) =>
      spanOf(tracer, tracer.startSpan(name, { kind: KINDS[kind], attributes: facts }, context)),
    end(failure) {
      if (failure) span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', failure.code)
      span.end()
    },
  }
}

/** The endpoint as OTEL_EXPORTER_OTLP_ENDPOINT has it, without the signal's own path. */
function tracesUrl(endpoint: string): string {
  return endpoint.endsWith('/v1/traces') ? endpoint : `${endpoint.replace(/\/$/, '')}/v1/traces`
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const patience = Promise.withResolvers<void>()
  const timer = setTimeout(patience.resolve, ms)
  await Promise.race([work.catch(() => undefined), patience.promise])
  clearTimeout(timer)
}
