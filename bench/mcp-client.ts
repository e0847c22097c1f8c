import { headerOf, type Connection } from './connection.ts'

interface Tool {
  readonly name: string
}

export interface Answer {
  readonly id: number
  readonly result?: {
    readonly content?: readonly { readonly text?: string }[]
    readonly isError?: boolean
    readonly tools?: readonly Tool[]
    readonly nextCursor?: string
    readonly protocolVersion?: string
  }
  readonly error?: { readonly code: number; readonly message: string }
}

/** What stands before the body of each request of one legacy session. */
export type SessionHead = string

/** Opens a legacy session; answers the head of its requests. */
export async function openSession(connection: Connection, url: URL, authorization = ''): Promise<SessionHead> {
  const shown = authorization === '' ? '' : `Authorization: ${authorization}\r\n`
  const plain = `POST ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n${shown}`
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } }
  const opened = await connection.request(
    post(plain, JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params })),
  )
  const result = answerTo(opened.body, 0)?.result
  if (result === undefined) throw new Error(`initialize: HTTP ${opened.status} ${opened.body.slice(0, 200)}`)
  const id = headerOf(opened.head, 'mcp-session-id')
  const head = `${plain}${id === undefined ? '' : `Mcp-Session-Id: ${id}\r\n`}MCP-Protocol-Version: ${result.protocolVersion}\r\n`
  await connection.request(post(head, '{"jsonrpc":"2.0","method":"notifications/initialized"}'))
  return head
}

export function post(head: SessionHead, json: string): string {
  return `${head}Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`
}

export function callText(id: number, tool: string, message: string): string {
  return `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${tool}","arguments":{"message":"${message}"}}}`
}

export function listText(id: number, cursor?: string): string {
  const params = cursor === undefined ? '{}' : JSON.stringify({ cursor })
  return `{"jsonrpc":"2.0","id":${id},"method":"tools/list","params":${params}}`
}

/** Why an answer is no echo of the message, undefined when it is one. */
export function echoProblem(answer: Answer | undefined, message: string): string | undefined {
  if (answer === undefined) return 'no answer to this id'
  if (answer.error !== undefined) return `error ${answer.error.code} ${answer.error.message}`
  if (answer.result?.isError === true) return 'isError'
  return answer.result?.content?.[0]?.text === message ? undefined : 'wrong echo'
}

/** The message of a JSON or SSE body that answers the request. */
export function answerTo(body: string, id: number): Answer | undefined {
  if (body.startsWith('{')) return answering(body, id)
  for (const [, data = ''] of body.matchAll(/^data: ?(.+)$/gm)) {
    const answer = answering(data, id)
    if (answer !== undefined) return answer
  }
  return undefined
}

function answering(text: string, id: number): Answer | undefined {
  try {
    const message = JSON.parse(text) as Answer
    return message.id === id ? message : undefined
  } catch {
    return undefined
  }
}

/** The names of all tools, page by page. */
export async function listTools(connection: Connection, head: SessionHead): Promise<string[]> {
  const names: string[] = []
  let cursor: string | undefined
  do {
    const { status, body } = await connection.request(post(head, listText(1, cursor)))
    const result = answerTo(body, 1)?.result
    if (result?.tools === undefined) throw new Error(`tools/list: HTTP ${status} ${body.slice(0, 200)}`)
    names.push(...result.tools.map((tool) => tool.name))
    cursor = result.nextCursor
  } while (cursor !== undefined)
  return names
}

/** Whatever stands before it: the tool that echoes. */
export function findEcho(names: readonly string[]): string | undefined {
  return names.find((name) => /(^|[^a-z])echo$/i.test(name))
}
