import { createInterface } from 'node:readline'

type Json = Record<string, unknown>
type Tools = Readonly<Record<string, (args: Json, meta: Json | undefined) => Json | Promise<Json>>>
interface Request {
  readonly id?: unknown
  readonly method?: string
  readonly params?: { readonly name?: string; readonly arguments?: Json; readonly _meta?: Json }
}

export function say(message: Json): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
}

export function text(said: string): Json {
  return { content: [{ type: 'text', text: said }] }
}

/** A stdio server by hand that starts in 40 ms: nothing is imported. Ends when its input does. */
export function serveTools(tools: Tools): void {
  createInterface({ input: process.stdin }).on('line', (line) => void answer(JSON.parse(line) as Request, tools))
}

async function answer({ id, method, params }: Request, tools: Tools): Promise<void> {
  if (id === undefined || method === undefined) return
  if (method === 'initialize') {
    const serverInfo = { name: 'mini', version: '1' }
    say({ id, result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo } })
  } else if (method === 'tools/list') {
    const inputSchema = { type: 'object' }
    say({ id, result: { tools: Object.keys(tools).map((name) => ({ name, inputSchema })) } })
  } else if (method === 'tools/call') {
    const result = await tools[params?.name ?? '']?.(params?.arguments ?? {}, params?._meta)
    if (result) say({ id, result })
  } else say({ id, error: { code: -32601, message: 'Method not found' } })
}
