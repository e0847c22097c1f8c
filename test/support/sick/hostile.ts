import { createInterface } from 'node:readline'
import { say } from './mini-server.ts'

// Lists what makes careless programs compute for ever: two thousand tools, patterns that explode, templates of braces.
const tools = Array.from({ length: 2000 }, (_, n) => ({
  name: `tool_${n}`,
  description: `${'aaaa '.repeat(n % 50)}Finds the ${n}th thing`,
  inputSchema: { type: 'object', properties: { text: { type: 'string', pattern: '^(a+)+$' } } },
}))
const uriTemplates = ['{'.repeat(100_000), `x://${'{a}'.repeat(20_000)}!`, `x://${'a{b}'.repeat(5000)}`]
const resourceTemplates = uriTemplates.map((uriTemplate, n) => ({ uriTemplate, name: `template ${n}` }))

const RESULTS: Readonly<Record<string, object>> = {
  initialize: {
    protocolVersion: '2025-11-25',
    capabilities: { tools: {}, resources: {}, completions: {} },
    serverInfo: { name: 'hostile', version: '1' },
  },
  'tools/list': { tools },
  'resources/list': { resources: [] },
  'resources/templates/list': { resourceTemplates },
  'resources/read': { contents: [] },
  'completion/complete': { completion: { values: [] } },
  'tools/call': { content: [{ type: 'text', text: 'done' }] },
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method = '' } = JSON.parse(line) as { id?: unknown; method?: string }
  const result = RESULTS[method]
  if (id !== undefined) say({ id, ...(result ? { result } : { error: { code: -32601, message: 'Method not found' } }) })
})
