import { until } from './until.ts'

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface ApiReply<T = Record<string, unknown>> {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Of an empty body undefined. */
  readonly body: T
}

interface ServerList {
  readonly servers: readonly { readonly name: string; readonly status: string }[]
}

/** What tests read of an answer to execute, or of the failure instead. */
export interface Executed {
  readonly execution_id: string
  readonly server: string
  readonly status: string
  readonly is_error: boolean
  readonly result: {
    readonly content: readonly { readonly type: string; readonly text: string }[]
    readonly structuredContent?: unknown
    readonly isError?: boolean
  }
  readonly error?: string
  readonly message?: string
}

/** The REST API of a running gateway, over its socket. Strings are sent as they are. */
export interface ApiClient {
  send<T = Record<string, unknown>>(
    method: Method,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<ApiReply<T>>
  /** Arguments given as a string are JSON text. */
  execute(tool: string, args?: unknown, headers?: Record<string, string>): Promise<ApiReply<Executed>>
  /** Waits until all of these servers are online. */
  online(...names: string[]): Promise<void>
}

const PATIENCE_MS = 15_000

export function apiClient(url: string): ApiClient {
  const send = async <T>(
    method: Method,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<ApiReply<T>> => {
    const response = await fetch(new URL(path.startsWith('/') ? path : `/api/v1/${path}`, url), {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: parsed(text) as T }
  }
  return {
    send,
    execute: (tool, args = {}, headers = {}) => {
      const body = typeof args === 'string' ? `{"arguments":${args}}` : { arguments: args }
      return send('POST', `tools/${encodeURIComponent(tool)}/execute`, body, headers)
    },
    online: (...names) =>
      until(`${names.join(', ')} online`, async () => {
        const { body } = await send<ServerList>('GET', 'proxy/servers')
        return names.every((name) => body.servers.some((each) => each.name === name && each.status === 'online'))
      }),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
