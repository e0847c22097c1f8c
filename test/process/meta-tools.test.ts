import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { expect, test } from 'vitest'
import { realServers } from '../support/real-servers.ts'
import { namesFound, sdkClient, type CalledResult } from '../support/sdk-client.ts'
import { newDirectory, startTestApp, type TestApp } from '../support/test-app.ts'

const ROOT = join(import.meta.dirname, '../..')

interface Served extends AsyncDisposable {
  readonly app: TestApp
  readonly directory: string
}

/** Four running servers whose tools nobody is shown. */
async function served(): Promise<Served> {
  await using cleanup = new AsyncDisposableStack()
  const { path: directory } = cleanup.use(await newDirectory())
  await writeFile(join(directory, 'note.txt'), 'written down')
  const servers = {
    everything: realServers.everything(),
    files: realServers.files(directory),
    memory: realServers.memory(join(directory, 'memory.jsonl')),
    db: realServers.database(join(directory, 'shop.db')),
  }
  const app = cleanup.use(await startTestApp({ file: { servers }, env: { META_MCP_EXPOSE: 'search' } }))
  await app.api.online(...Object.keys(servers))
  const kept = cleanup.move()
  return { app, directory, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

type Call = (name: string, args: Record<string, unknown>) => Promise<CalledResult>

interface Task {
  /** What a model would say, without the words of any tool's name. */
  readonly query: string
  readonly wanted: string
  arguments(directory: string): Record<string, unknown>
  readonly said: RegExp
}

const TASKS: readonly Task[] = [
  {
    query: 'calculate the total of two numbers',
    wanted: 'everything__get-sum',
    arguments: () => ({ a: 2, b: 3 }),
    said: /5/,
  },
  {
    query: 'show me what is in a text file on disk',
    wanted: 'files__read_text_file',
    arguments: (directory) => ({ path: join(directory, 'note.txt') }),
    said: /written down/,
  },
  {
    query: 'remember a new person in the knowledge graph',
    wanted: 'memory__create_entities',
    arguments: () => ({ entities: [{ name: 'Ada', entityType: 'person', observations: ['counts'] }] }),
    said: /Ada/,
  },
  {
    query: 'run a SQL select on the shop database',
    wanted: 'db__query',
    arguments: () => ({ sql: 'select count(*) as n from customers' }),
    said: /"n":\s*3/,
  },
]

/** Finds, reads and calls, and knows nothing but the meta-tools. */
async function doAll(call: Call, directory: string): Promise<void> {
  for (const task of TASKS) {
    const names = namesFound(await call('search_tools', { query: task.query, limit: 5 }))
    expect(names, task.query).toContain(task.wanted)
    const { structured } = await call('describe_tools', { names: [task.wanted] })
    const [definition] = structured['tools'] as { inputSchema: { required?: string[]; properties: object } }[]
    const args = task.arguments(directory)
    expect(Object.keys(definition?.inputSchema.properties ?? {})).toEqual(expect.arrayContaining(Object.keys(args)))
    const { text, isError } = await call('call_tool', { name: task.wanted, arguments: args })
    expect([isError, text], task.wanted).toEqual([false, expect.stringMatching(task.said)])
  }
}

test.each(['legacy', 'modern'] as const)(
  'a $0 client that knows the meta-tools alone finds and calls a tool of each of four servers (R111, R052)',
  async (era) => {
    await using place = await served()
    await using it = await sdkClient(era, place.app.listening.mcp)
    expect((await it.client.listTools()).tools).toHaveLength(3)
    await doAll(it.call, place.directory)
  },
)

test('so does a client of metamcp stdio (R111)', async () => {
  await using place = await served()
  await using cleanup = new AsyncDisposableStack()
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  cleanup.defer(() => client.close())
  const args = [join(ROOT, 'bin/metamcp.js'), 'stdio', '--data-dir', join(place.app.directory, 'data')]
  await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'ignore' }))
  await doAll(async (name, params) => called(await client.callTool({ name, arguments: params })), place.directory)
})

test('so does a client of 2024-11-05 over HTTP+SSE (R111)', async () => {
  await using place = await served()
  await using cleanup = new AsyncDisposableStack()
  const client = new ClientV1({ name: 'v1', version: '1' })
  cleanup.defer(() => client.close())
  await client.connect(new SSEClientTransport(new URL('/sse', place.app.listening.url)))
  await doAll(async (name, params) => called(await client.callTool({ name, arguments: params })), place.directory)
})

function called(result: Record<string, unknown>): CalledResult {
  const [first] = result['content'] as { text?: string }[]
  const structured = (result['structuredContent'] ?? {}) as Record<string, unknown>
  return { text: first?.text ?? '', structured, isError: result['isError'] === true }
}
