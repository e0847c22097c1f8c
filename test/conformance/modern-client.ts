import { acceptedContent, type Downstream, type Json, type Listed } from './downstream-client.ts'

const VERSION = '2026-07-28'
const META = {
  'io.modelcontextprotocol/protocolVersion': VERSION,
  'io.modelcontextprotocol/clientInfo': { name: 'conformance-driver', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': { elicitation: {}, sampling: {}, roots: {} },
}
const PLAIN = /^[!-~](?:[ -~]*[!-~])?$|^$/

type Question = { method: string; params?: { requestedSchema?: Json } }

/** `between` runs after a question came and before it is answered. */
export function modernClient(url: string, between: () => Promise<void> = async () => {}): Downstream {
  const tools = new Map<string, Listed>()
  let lastId = 0

  async function post(method: string, params: Json): Promise<Json> {
    lastId += 1
    const response = await fetch(url, {
      method: 'POST',
      headers: headersOf(method, params, tools.get(String(params['name']))),
      body: JSON.stringify({ jsonrpc: '2.0', id: lastId, method, params: { ...params, _meta: META } }),
    })
    const reply = await readReply(response, lastId)
    if (reply.error !== undefined) throw new Error(`${method}: ${JSON.stringify(reply.error)}`)
    return reply.result ?? {}
  }

  async function request(method: string, params: Json): Promise<Json> {
    const result = await post(method, params)
    for (const tool of (result['tools'] ?? []) as Listed[]) tools.set(tool.name, tool)
    if (result['resultType'] !== 'input_required') return result
    await between()
    return await request(method, { ...params, ...answersTo(result) })
  }

  return { request, close: async () => {} }
}

function answersTo(result: Json): Json {
  const questions = Object.entries(result['inputRequests'] as Record<string, Question>)
  const inputResponses = Object.fromEntries(
    questions.map(([key, { params }]) => [
      key,
      { action: 'accept', content: acceptedContent(params?.requestedSchema ?? {}) },
    ]),
  )
  const { requestState } = result
  return requestState === undefined ? { inputResponses } : { inputResponses, requestState }
}

function headersOf(method: string, params: Json, tool: Listed | undefined): Record<string, string> {
  const name = params['name'] ?? params['uri']
  const args = (params['arguments'] ?? {}) as Json
  const mirrored = Object.entries(tool?.inputSchema?.properties ?? {}).flatMap(([key, property]) => {
    const header = property['x-mcp-header']
    const value = args[key] ?? undefined
    return typeof header === 'string' && value !== undefined ? [[`Mcp-Param-${header}`, encode(value)] as const] : []
  })
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': VERSION,
    'mcp-method': method,
    ...(name === undefined ? {} : { 'mcp-name': encode(name) }),
    ...Object.fromEntries(mirrored),
  }
}

function encode(value: unknown): string {
  const plain = typeof value === 'string' ? value : JSON.stringify(value)
  return PLAIN.test(plain) ? plain : `=?base64?${Buffer.from(plain).toString('base64')}?=`
}

type Reply = { id?: unknown; result?: Json; error?: unknown }

async function readReply(response: Response, id: number): Promise<Reply> {
  const text = await response.text()
  if (!response.headers.get('content-type')?.includes('text/event-stream')) return JSON.parse(text) as Reply
  const data = text.split('\n').filter((line) => line.startsWith('data: {'))
  const messages = data.map((line) => JSON.parse(line.slice('data: '.length)) as Reply)
  return messages.find((message) => message.id === id) ?? { error: 'the stream ended without an answer' }
}
