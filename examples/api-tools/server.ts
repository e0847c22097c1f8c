// An MCP server over stdio that wraps an HTTP API: node examples/api-tools/server.ts [URL]
import { McpServer, type CallToolResult } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'
import { startApi } from './api.ts'

const TIMEOUT_MS = 10_000
const READS = { readOnlyHint: true, idempotentHint: true, openWorldHint: true }
const WRITES = { readOnlyHint: false, idempotentHint: false, destructiveHint: false, openWorldHint: true }

const book = z.object({ id: z.number(), title: z.string(), author: z.string(), price: z.number() })
const order = z.object({ id: z.number(), book_id: z.number(), quantity: z.number(), total: z.number() })

/** Without a URL it brings the sample API along, so that it answers out of the box. */
const given = process.argv[2] ?? process.env['API_URL']
const own = given === undefined ? await startApi(0) : undefined
const base = own?.url ?? given ?? ''

function createServer(): McpServer {
  const server = new McpServer({ name: 'api-tools', version: '1.0.0' })

  server.registerTool(
    'find_books',
    {
      description: 'Lists the books of the shop, all or those of an author',
      inputSchema: z.object({ author: z.string().optional().describe('Part of the author’s name') }),
      outputSchema: z.object({ books: z.array(book) }),
      annotations: { title: 'Find books', ...READS },
    },
    ({ author }) => call('GET', `/books${author === undefined ? '' : `?author=${encodeURIComponent(author)}`}`),
  )

  server.registerTool(
    'get_book',
    {
      description: 'Shows one book with its price',
      inputSchema: z.object({ id: z.number().int().describe('The book’s id, as find_books shows it') }),
      outputSchema: book,
      annotations: { title: 'Get book', ...READS },
    },
    ({ id }) => call('GET', `/books/${id}`),
  )

  server.registerTool(
    'place_order',
    {
      description: 'Orders a book and answers with the total',
      inputSchema: z.object({ book_id: z.number().int(), quantity: z.number().int().min(1).max(100) }),
      outputSchema: order,
      annotations: { title: 'Place order', ...WRITES },
    },
    (wish) => call('POST', '/orders', wish),
  )
  return server
}

/** The API's answer as a tool result; what the API refuses is the tool's own failure, in the API's words. */
async function call(method: string, path: string, body?: object): Promise<CallToolResult> {
  try {
    const response = await fetch(new URL(path, base), {
      method,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) return failure(`the API answered ${response.status}: ${text}`)
    return { content: [{ type: 'text', text }], structuredContent: JSON.parse(text) as Record<string, unknown> }
  } catch (error) {
    return failure(`the API gave no answer: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function failure(text: string): CallToolResult {
  return { content: [{ type: 'text', text }], isError: true }
}

serveStdio(createServer)
// The sample API must not outlive the client.
process.stdin.once('end', () => own?.close())
