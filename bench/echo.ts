/** `echo` and n - 1 tools with a schema of everyday size (about 450 bytes each). */
export function makeTools(n: number): object[] {
  const echo = {
    name: 'echo',
    description: 'Echoes back the message',
    inputSchema: {
      type: 'object',
      properties: { message: { type: 'string', description: 'text to echo' } },
      required: ['message'],
    },
  }
  const inputSchema = {
    type: 'object',
    properties: {
      query: { type: 'string', description: 'What to look for, as free text' },
      limit: { type: 'integer', minimum: 1, maximum: 100, default: 10, description: 'How many rows to return' },
      cursor: { type: 'string', description: 'Where to go on' },
    },
    required: ['query'],
  }
  const others = Array.from({ length: n - 1 }, (_, i) => ({
    name: `search_${String(i + 1).padStart(5, '0')}`,
    description: `Searches collection ${i + 1} and returns the matching rows in order of relevance.`,
    inputSchema,
  }))
  return [echo, ...others]
}

const VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']

interface Message {
  readonly id?: number | string
  readonly method?: string
  readonly params?: { readonly protocolVersion?: string; readonly arguments?: { readonly message?: string } }
}

/**
 * The legacy echo server behind every transport: a message in, the answer's text out, undefined for a notification.
 * `sign` stands before every echo, so that an answer tells who gave it.
 */
export function createEcho(name: string, tools: number, sign = ''): (message: Message) => string | undefined {
  const list = JSON.stringify({ tools: makeTools(tools) })
  const resultOf = ({ method, params }: Message): string | undefined => {
    switch (method) {
      case 'tools/call':
        return `{"content":[{"type":"text","text":${JSON.stringify(sign + (params?.arguments?.message ?? ''))}}]}`
      case 'tools/list':
        return list
      case 'initialize': {
        const asked = params?.protocolVersion ?? ''
        const protocolVersion = VERSIONS.includes(asked) ? asked : VERSIONS[0]
        const serverInfo = { name, version: '1.0.0' }
        return JSON.stringify({ protocolVersion, capabilities: { tools: { listChanged: false } }, serverInfo })
      }
      case 'ping':
        return '{}'
      case undefined:
      default:
        return undefined
    }
  }
  return (message) => {
    if (message.id === undefined) return undefined
    const result = resultOf(message)
    const rest = result === undefined ? '"error":{"code":-32601,"message":"Method not found"}' : `"result":${result}`
    return `{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},${rest}}`
  }
}
