import { legacyClient, type Downstream, type Json, type Listed } from './downstream-client.ts'
import { startGateway, waitUntilOnline } from './gateway-process.ts'
import { modernClient } from './modern-client.ts'

// The suite runs this once per client scenario: the mock server's URL is the last argument, the rest comes by environment.
// The gateway stands between this client and the mock, and the suite judges what the mock saw.

const ONLINE_TIMEOUT_MS = 10_000
// Below the 30 s after which the suite kills the shell around this process, and would leave the gateway behind.
const DEADLINE_MS = 27_000

const mock = process.argv.at(-1) ?? ''
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? ''
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as { toolCalls?: Json[] }
const isDirect = process.env['METAMCP_DRIVER_DIRECT'] !== undefined
const isModern = process.env['MCP_CONFORMANCE_PROTOCOL_VERSION'] === '2026-07-28'

const steps: Record<string, (client: Downstream) => Promise<void>> = {
  tools_call: (client) => call(client, 'add_numbers', { a: 5, b: 3 }),
  'elicitation-sep1034-client-defaults': (client) => call(client, 'test_client_elicitation_defaults', {}),
  'sse-retry': (client) => call(client, 'test_reconnection', {}),
  'http-standard-headers': touchEverything,
  'http-custom-headers': callAsTold,
  'http-invalid-tool-headers': callWhatIsListed,
  'sep-2322-client-request-state': answerQuestions,
  'json-schema-2020-12-preservation': echoSchema,
}

setTimeout(() => process.exit(1), DEADLINE_MS).unref()
process.once('SIGTERM', () => process.exit(1))

if (isDirect) {
  await drive(mock)
} else {
  await using gateway = await startGateway(() => ({ fixture: { url: mock, prefix: '', era: 'auto' } }))
  await waitUntilOnline(gateway, ['fixture'], ONLINE_TIMEOUT_MS)
  await drive(gateway.url)
}

async function drive(url: string): Promise<void> {
  const unrelated = async (): Promise<void> => await call(modernClient(url), 'test_mrtr_unrelated', {})
  const client = isModern ? modernClient(url, unrelated) : await legacyClient(url)
  await client.request('tools/list', {}).catch((error: unknown) => tolerate(error))
  await steps[scenario]?.(client)
  await client.close()
}

/** Without a gateway the mock of this scenario refuses the first request, to see what the second looks like. */
async function tolerate(error: unknown): Promise<void> {
  const mayFail = scenario === 'initialize' || scenario === 'request-metadata'
  if (!mayFail) throw error
  if (isModern) await modernClient(mock).request('tools/list', {})
}

async function call(client: Downstream, name: string, args: Json): Promise<void> {
  await client.request('tools/call', { name, arguments: args })
}

async function list(client: Downstream, kind: 'tools' | 'resources' | 'prompts'): Promise<Listed[]> {
  return (await client.request(`${kind}/list`, {}))[kind] as Listed[]
}

async function touchEverything(client: Downstream): Promise<void> {
  for (const { name } of await list(client, 'tools')) await call(client, name, {})
  for (const { uri } of await list(client, 'resources')) await client.request('resources/read', { uri })
  for (const { name } of await list(client, 'prompts')) await client.request('prompts/get', { name })
}

async function callAsTold(client: Downstream): Promise<void> {
  for (const params of context.toolCalls ?? []) await client.request('tools/call', params)
}

async function callWhatIsListed(client: Downstream): Promise<void> {
  for (const { name, inputSchema } of await list(client, 'tools')) {
    // Dropping the tools with invalid annotations is the gateway's part.
    if (isDirect && name.startsWith('invalid_')) continue
    const names = Object.keys(inputSchema?.properties ?? {})
    await call(client, name, Object.fromEntries(names.map((each) => [each, 'us-west1'])))
  }
}

async function answerQuestions(client: Downstream): Promise<void> {
  for (const name of ['test_mrtr_echo_state', 'test_mrtr_no_state', 'test_mrtr_no_result_type']) {
    await call(client, name, {})
  }
}

async function echoSchema(client: Downstream): Promise<void> {
  const tools = await list(client, 'tools')
  const schema = tools.find(({ name }) => name === 'json_schema_2020_12_tool')?.inputSchema
  await call(client, 'json_schema_echo', { schema })
}
