import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { Json } from './raw-http.ts'
import type { Era } from './fixture/versions.ts'

/** The SDK's client of one era, connected over Streamable HTTP. */
export interface SdkClient extends AsyncDisposable {
  readonly client: Client
  /** A tool's result; the SDK checks its structured content against the schema that the list showed. */
  call(name: string, args?: Json): Promise<CalledResult>
}

export interface CalledResult {
  readonly text: string
  readonly structured: Json
  readonly isError: boolean
}

export async function sdkClient(era: Era, url: string): Promise<SdkClient> {
  const mode = era === 'legacy' ? 'legacy' : ({ pin: '2026-07-28' } as const)
  const client = new Client(
    { name: 'test', version: '1' },
    { capabilities: { elicitation: {} }, versionNegotiation: { mode } },
  )
  client.setRequestHandler('elicitation/create', ({ params }) => ({
    action: 'accept',
    content: { answer: `seen: ${params.message}` },
  }))
  await client.connect(new StreamableHTTPClientTransport(new URL(url)))
  return {
    client,
    async call(name, args = {}) {
      const { content, structuredContent, isError } = await client.callTool({ name, arguments: args })
      const [first] = content
      const text = first?.type === 'text' ? first.text : JSON.stringify(first)
      return { text, structured: (structuredContent ?? {}) as Json, isError: isError === true }
    },
    [Symbol.asyncDispose]: () => client.close(),
  }
}

/** The names that `search_tools` found, the best first. */
export function namesFound({ structured }: CalledResult): string[] {
  return (structured['tools'] as { name: string }[]).map(({ name }) => name)
}
