// A small JSON API to have something to call: node examples/api-tools/api.ts [PORT]
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'

interface Reply {
  readonly status: number
  readonly body: unknown
}

const BOOKS = [
  { id: 1, title: 'A Pattern Language', author: 'Christopher Alexander', price: 65 },
  { id: 2, title: 'The Sea Around Us', author: 'Rachel Carson', price: 14 },
  { id: 3, title: 'Silent Spring', author: 'Rachel Carson', price: 12 },
]
const ORDER = z.object({ book_id: z.number().int(), quantity: z.number().int().min(1).max(100) })
const BODY_BYTES_MAX = 10_000

export interface Api {
  readonly url: string
  close(): void
}

/** Starts the API on loopback; port 0 takes a free one. */
export function startApi(port: number): Promise<Api> {
  const orders: unknown[] = []
  const server = createServer((request, response) => {
    handle(request, orders).then(
      (reply) => send(response, reply),
      () => send(response, { status: 400, body: { error: 'the body is no JSON object' } }),
    )
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      const actual = typeof address === 'object' && address !== null ? address.port : port
      resolve({ url: `http://127.0.0.1:${actual}`, close: () => server.close() })
    })
  })
}

async function handle(request: IncomingMessage, orders: unknown[]): Promise<Reply> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const [, resource, id] = url.pathname.split('/')
  if (request.method === 'GET' && resource === 'books') return id === undefined ? listBooks(url) : getBook(id)
  if (request.method === 'GET' && resource === 'orders' && id === undefined) return { status: 200, body: { orders } }
  if (request.method === 'POST' && resource === 'orders') return placeOrder(request, orders)
  return { status: 404, body: { error: `no route ${request.method} ${url.pathname}` } }
}

function listBooks(url: URL): Reply {
  const author = (url.searchParams.get('author') ?? '').toLowerCase()
  return { status: 200, body: { books: BOOKS.filter((book) => book.author.toLowerCase().includes(author)) } }
}

function getBook(id: string): Reply {
  const book = BOOKS.find((book) => String(book.id) === id)
  return book === undefined ? { status: 404, body: { error: `no book ${id}` } } : { status: 200, body: book }
}

async function placeOrder(request: IncomingMessage, orders: unknown[]): Promise<Reply> {
  if (Number(request.headers['content-length'] ?? Infinity) > BODY_BYTES_MAX) {
    return { status: 413, body: { error: 'the body is too large' } }
  }
  const wish = ORDER.safeParse(await json(request))
  if (!wish.success) return { status: 422, body: { error: 'book_id and quantity (1 to 100) are needed' } }
  const book = BOOKS.find(({ id }) => id === wish.data.book_id)
  if (book === undefined) return { status: 404, body: { error: `no book ${wish.data.book_id}` } }
  const order = { id: orders.length + 1, ...wish.data, total: book.price * wish.data.quantity }
  orders.push(order)
  return { status: 201, body: order }
}

function send(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const api = await startApi(Number(process.argv[2] ?? 8710))
  console.log(`books API on ${api.url}`)
}
