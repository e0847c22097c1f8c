import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Json } from './raw-http.ts'

/** What one published server listed. */
export interface Listing {
  readonly name: string
  readonly serverInfo: Json
  readonly tools: readonly Json[]
}

/** The lists of a folder with one `*.json` for each server. */
export function readListings(folder: string): Listing[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'))
  return files.toSorted().map((file) => {
    const { serverInfo, tools } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Omit<Listing, 'name'>
    return { name: file.replace(/\.json$/, ''), serverInfo, tools }
  })
}

/** Servers that only list, each at an address of its own. */
export async function startListing(
  listings: readonly Listing[],
): Promise<AsyncDisposable & { readonly urlOf: (name: string) => string }> {
  const server = createServer((request, response) => {
    const listing = listings.find(({ name }) => request.url === `/${name}`)
    void text(request).then((body) => {
      const { id, method } = JSON.parse(body || '{}') as { id?: number; method?: string }
      const result = listing && method !== undefined ? resultOf(listing, method) : undefined
      if (request.method !== 'POST' || !listing) response.writeHead(405).end()
      else if (id === undefined) response.writeHead(202).end()
      else
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ jsonrpc: '2.0', id, ...(result ? { result } : { error: NO_METHOD }) }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    urlOf: (name) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

const NO_METHOD = { code: -32601, message: 'no such method' }

function resultOf({ serverInfo, tools }: Listing, method: string): Json | undefined {
  if (method === 'initialize') return { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo }
  return method === 'tools/list' ? { tools } : undefined
}
