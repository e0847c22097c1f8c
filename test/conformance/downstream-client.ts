import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { ResultSchema } from '@modelcontextprotocol/core'

export type Json = Record<string, unknown>
export type Listed = { name: string; uri?: string; inputSchema?: { properties?: Record<string, Json> } }

/** A client in front of the gateway that adds nothing of its own. */
export interface Downstream {
  request(method: string, params: Json): Promise<Json>
  close(): Promise<void>
}

/** Accepts every elicitation, with its defaults and true for booleans. */
export function acceptedContent(schema: Json): Json {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Json>)
  return Object.fromEntries(properties.map(([name, { default: value, type }]) => [name, value ?? type === 'boolean']))
}

export async function legacyClient(url: string): Promise<Downstream> {
  const capabilities = { elicitation: {}, sampling: {}, roots: {} }
  const client = new Client({ name: 'conformance-driver', version: '1.0.0' }, { capabilities })
  client.setRequestHandler('elicitation/create', ({ params }) => ({
    action: 'accept',
    content: acceptedContent((params as { requestedSchema?: Json }).requestedSchema ?? {}) as Record<string, string>,
  }))
  await client.connect(new StreamableHTTPClientTransport(new URL(url)))
  return {
    request: async (method, params) => await client.request({ method, params }, ResultSchema),
    close: async () => await client.close(),
  }
}
