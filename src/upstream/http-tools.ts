import { Agent, type Dispatcher } from 'undici'
import type { CallResult, RoutedCall } from '#gateway/call'
import { AppError } from '#kernel/errors'
import { isJsonObject, type JsonValue } from '#kernel/json'
import { memberText } from '#kernel/json-text'
import { endingWith } from '#kernel/span'
import type { HttpToolRecord, Origin } from '#registry/records'
import { connectFailure, type ConnectOption } from './http-client.ts'
import { HttpExchange } from './http-exchange.ts'
import { httpToolRequest } from './http-tool-request.ts'
import { retryAfterOf, waitWords } from './retry-after.ts'
import { reasonOf } from './unless-aborted.ts'

export interface HttpToolsDeps {
  /** The record behind a tool's name; undefined when it has been deleted. */
  find(name: string): HttpToolRecord | undefined
  readonly resultBytesMax: number
  /** How connections for this tool are made. */
  connectFor(tool: Pick<HttpToolRecord, 'origin'>): ConnectOption
}

/** Calls plain HTTP APIs as tools. Redirects are not followed: an address that was checked stays the address. */
export interface HttpTools extends AsyncDisposable {
  run(call: RoutedCall): Promise<CallResult>
}

interface HttpAnswer {
  readonly status: number
  readonly text: string
  readonly contentType: string
  /** Seconds. */
  readonly retryAfter: number | undefined
}

export function createHttpTools({ find, resultBytesMax, connectFor }: HttpToolsDeps): HttpTools {
  const agents = new Map<Origin, Agent>()
  const agentFor = (tool: HttpToolRecord): Agent => {
    const known = agents.get(tool.origin)
    if (known) return known
    const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: connectFor(tool) })
    agents.set(tool.origin, agent)
    return agent
  }
  return {
    async run(call) {
      const { server, originalName } = call.target
      if (call.signal.aborted) throw reasonOf(call.signal)
      const tool = find(originalName)
      if (!tool) throw new AppError('tool_not_found', `Unknown tool: ${originalName}`)
      if (tool.locked) throw new AppError('upstream_unavailable', `${tool.name}: ${tool.locked.reason}`)
      const ask = (asking: RoutedCall) => request(agentFor(tool), tool, asking, resultBytesMax)
      const span = call.span?.child(tool.method, 'client', {
        'metamcp.server': server,
        'http.request.method': tool.method,
      })
      const answer = await (span ? endingWith(span, ask({ ...call, traceparent: span.traceparent })) : ask(call))
      const text = resultOf(tool, answer)
      const value = JSON.parse(text) as CallResult['value']
      const { status, retryAfter } = answer
      return { text, value, server, era: 'legacy', status, ...(retryAfter !== undefined && { retryAfter }) }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()))
    },
  }
}

function request(agent: Dispatcher, tool: HttpToolRecord, call: RoutedCall, bytesMax: number): Promise<HttpAnswer> {
  const argsText = memberText(call.paramsText, 'arguments') ?? '{}'
  const { origin, path, method, headers, body } = httpToolRequest(tool, argsText)
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>()
  const named = (error: AppError): AppError =>
    new AppError(error.code, `${tool.name}: ${error.message}`, {
      details: { ...error.details, server: 'http', tool: tool.name },
      cause: error,
    })
  let streamed = ''
  let status = 0
  let retryAfter: number | undefined
  const exchange = new HttpExchange(
    {
      start: (code, answered) => {
        status = code
        retryAfter = retryAfterOf(code, answered, Date.now())
      },
      body: (code, text, contentType) => resolve({ status: code, text, contentType, retryAfter }),
      event: ({ data }) => {
        streamed += `${data ?? ''}\n`
      },
      end: () => resolve({ status, text: streamed, contentType: 'text/event-stream', retryAfter }),
      fail: (error) => reject(named(error)),
    },
    bytesMax,
  )
  const abort = (): void => {
    exchange.abort()
    reject(reasonOf(call.signal))
  }
  call.signal.addEventListener('abort', abort)
  const traced = call.traceparent === undefined ? headers : { ...headers, traceparent: call.traceparent }
  try {
    agent.dispatch({ origin, path, method, headers: traced, body: body ?? null }, exchange)
  } catch (error) {
    reject(named(connectFailure(error as Error)))
  }
  return promise.finally(() => call.signal.removeEventListener('abort', abort))
}

/** What the API answered, as an MCP result: its body as text, and as structured content where it is a JSON object. */
function resultOf(tool: HttpToolRecord, { status, text, contentType, retryAfter }: HttpAnswer): string {
  if (status >= 300) {
    const message = `${tool.name} answered HTTP ${status}${waitWords(retryAfter)}${text === '' ? '' : `: ${text}`}`
    return JSON.stringify({ content: [{ type: 'text', text: message }], isError: true })
  }
  const content = JSON.stringify([{ type: 'text', text }])
  const isObject = contentType.includes('json') && isJsonObject(parsed(text))
  return isObject ? `{"content":${content},"structuredContent":${text}}` : `{"content":${content}}`
}

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    return undefined
  }
}
