import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A span as a collector gets it. */
export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly facts: Readonly<Record<string, unknown>>
  readonly status: { readonly code?: number }
}

/** A collector of OTLP over HTTP, in this process. */
export interface OtlpReceiver extends AsyncDisposable {
  readonly url: string
  readonly spans: readonly ReceivedSpan[]
  /** Requests that were answered, and those that were not. */
  readonly requests: number
  /** From now on: take spans, refuse them, or never answer. */
  behave(how: 'take' | 'refuse' | 'hang'): void
}

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

type RawSpan = Omit<ReceivedSpan, 'facts'> & { readonly attributes: readonly Attribute[] }

interface Payload {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[] }[]
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = []
  let requests = 0
  let mode: Parameters<OtlpReceiver['behave']>[0] = 'take'
  const answer = (response: ServerResponse, body: string): void => {
    if (mode === 'hang') return
    if (mode === 'take') spans.push(...spansIn(JSON.parse(body) as Payload))
    response.writeHead(mode === 'take' ? 200 : 400, { 'content-type': 'application/json' }).end('{}')
  }
  const server = createServer((request, response) => {
    requests += 1
    void text(request).then((body) =>
      request.url === '/v1/traces' ? answer(response, body) : response.writeHead(404).end(),
    )
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    get requests() {
      return requests
    },
    behave(how) {
      mode = how
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

function spansIn({ resourceSpans }: Payload): ReceivedSpan[] {
  const raw = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
  return raw.map(({ attributes, ...span }) => ({
    ...span,
    facts: Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]])),
  }))
}
