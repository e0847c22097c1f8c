import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startFixture } from '../support/fixture/start-fixture.ts'
import { readListings, startListing } from '../support/listing-servers.ts'
import { legacyRaw, modernRaw } from '../support/raw-clients.ts'
import type { Json } from '../support/raw-http.ts'
import { namesFound, sdkClient } from '../support/sdk-client.ts'
import { startTestApp, type TestApp } from '../support/test-app.ts'

interface Counts {
  readonly would_have_received: number
  readonly received: number
}
interface Tokens {
  readonly namespaces: readonly (Counts & { readonly namespace: string | null; readonly saved_share: number })[]
  readonly sessions: readonly (Counts & { readonly namespace: string | null; readonly session: string })[]
}

const tokensIn = (texts: readonly unknown[]): number =>
  Math.ceil(texts.reduce<number>((sum, text) => sum + Buffer.byteLength(JSON.stringify(text)), 0) / 4)
const tokensOf = async ({ api }: TestApp): Promise<Tokens> => (await api.send<Tokens>('GET', 'tokens')).body
const definitionTokens = async ({ api }: TestApp, namespace: string) =>
  (await api.send<{ definition_tokens: { all: number; exposed: number } }>('GET', `namespaces/${namespace}`)).body
    .definition_tokens

const counts = (namespace: string, would: number, received: number) => ({
  namespace,
  would_have_received: would,
  received,
  saved_share: 1 - received / would,
})

async function opened(env: Record<string, string> = {}): Promise<TestApp> {
  await using cleanup = new AsyncDisposableStack()
  const fixture = cleanup.use(await startFixture({ era: 'both' }))
  const file = {
    servers: { fix: { url: fixture.url } },
    namespaces: { found: { expose: 'search', pinned: ['fix__echo'] }, shown: {} },
  }
  const app = cleanup.use(await startTestApp({ file, env }))
  await app.api.online('fix')
  const kept = cleanup.move()
  return { ...app, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

test('a namespace tells what its definitions cost, all and those that are listed (R111)', async () => {
  await using app = await opened()
  await using shown = await legacyRaw(`${app.listening.mcp}/shown`)
  await using found = await legacyRaw(`${app.listening.mcp}/found`)
  const listed = async (raw: typeof shown) => (await raw.call('tools/list')).result?.['tools'] as Json[]
  const all = tokensIn(await listed(shown))
  expect(await definitionTokens(app, 'shown')).toEqual({ all, exposed: all })
  expect(await definitionTokens(app, 'found')).toEqual({ all, exposed: tokensIn(await listed(found)) })
})

test('what clients received and would have received is counted by namespace and session (R111)', async () => {
  await using app = await opened()
  const found = await definitionTokens(app, 'found')
  const shown = await definitionTokens(app, 'shown')
  expect(await tokensOf(app)).toEqual({ namespaces: [], sessions: [] })
  await using legacy = await legacyRaw(`${app.listening.mcp}/found`)
  await using modern = modernRaw(`${app.listening.mcp}/found`)
  await using other = modernRaw(`${app.listening.mcp}/shown`)
  await legacy.call('tools/list')
  for (const _ of [1, 2]) await modern.call('tools/list')
  await other.call('tools/list')
  const first = await tokensOf(app)
  expect(first.namespaces).toEqual([
    counts('found', 3 * found.all, 3 * found.exposed),
    counts('shown', shown.all, shown.all),
  ])
  expect(first.sessions).toEqual([
    {
      session: expect.stringMatching(/^[\w-]{12}$/) as string,
      namespace: 'found',
      would_have_received: found.all,
      received: found.exposed,
    },
  ])
  expect(legacy.headers['mcp-session-id']).not.toContain(first.sessions[0]?.session)
  const args = { names: ['fix__add', 'fix__slow'] }
  const { result = {} } = await legacy.call('tools/call', { name: 'describe_tools', arguments: args })
  const [{ text } = { text: '' }] = result['content'] as { text: string }[]
  const received = found.exposed + Math.ceil(Buffer.byteLength(text) / 4)
  expect((await tokensOf(app)).sessions).toMatchObject([{ would_have_received: found.all, received }])
  await legacy.call('tools/call', { name: 'call_tool', arguments: { name: 'fix__stats' } })
  await legacy.call('tools/call', { name: 'search_tools', arguments: {} })
  expect((await tokensOf(app)).sessions[0]?.received).toBeGreaterThanOrEqual(received)
  await legacy.end()
  const last = await tokensOf(app)
  expect(last.sessions).toEqual([])
  expect(last.namespaces[0]).toMatchObject({ namespace: 'found', would_have_received: 3 * found.all })
})

test('Prometheus reads the same counts at /metrics, unless the operator wants none (R111, R209)', async () => {
  await using app = await opened()
  await using modern = modernRaw(`${app.listening.mcp}/found`)
  await using everything = modernRaw(app.listening.mcp)
  await modern.call('tools/list')
  await everything.call('tools/list')
  const { all, exposed } = await definitionTokens(app, 'found')
  const { status, headers, text } = await app.api.send('GET', '/metrics')
  expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
  expect(text).toContain('# TYPE metamcp_definition_tokens_total counter')
  expect(text).toContain(`metamcp_definition_tokens_total{namespace="found",kind="would_have_received"} ${all}\n`)
  expect(text).toContain(`metamcp_definition_tokens_total{namespace="found",kind="received"} ${exposed}\n`)
  expect(text).toContain(`metamcp_definition_tokens_total{namespace="",kind="received"} ${all}\n`)
  const again = (await app.api.send('GET', '/metrics')).text
  expect(tokenLines(again), 'read once more').toEqual(tokenLines(text))
  await using silent = await startTestApp({ env: { META_MCP_METRICS_ENABLED: 'false' } })
  expect(await silent.api.send('GET', '/metrics')).toMatchObject({ status: 404, body: { error: 'not_found' } })
})

function tokenLines(text: string): string[] {
  return text.split('\n').filter((line) => line.startsWith('metamcp_definition_tokens_total'))
}

/** Beside the repository, where the data of the search's evaluation is, too. */
const FOLDER = join(import.meta.dirname, '../../../shared/data/real-tools')
if (!existsSync(FOLDER)) console.log(`definition tokens of real servers: skipped, no ${FOLDER}`)

test.skipIf(!existsSync(FOLDER))(
  'of all the tools of dozens of real servers, expose: search lists two in a hundred tokens or less (R111)',
  async () => {
    const listings = readListings(FOLDER)
    await using servers = await startListing(listings)
    const named = Object.fromEntries(listings.map(({ name }) => [name, { url: servers.urlOf(name) }]))
    await using app = await startTestApp({ file: { servers: named, namespaces: { found: { expose: 'search' } } } })
    await app.api.online(...Object.keys(named))
    await using it = await sdkClient('legacy', `${app.listening.mcp}/found`)
    const { tools } = await it.client.listTools()
    expect(tools).toHaveLength(3)
    expect(tools[0]?.description?.length).toBeLessThanOrEqual(1000)
    expect(tools[0]?.description).toContain('among')
    const { all, exposed } = await definitionTokens(app, 'found')
    const count = listings.reduce((sum, listing) => sum + listing.tools.length, 0)
    console.log(
      `${count} tools of ${listings.length} servers: ${all} tokens, ${exposed} listed, ${((1 - exposed / all) * 100).toFixed(2)} % saved`,
    )
    expect(1 - exposed / all).toBeGreaterThanOrEqual(0.98)
    const found = await it.call('search_tools', { query: 'create a pull request on github', limit: 5 })
    expect(namesFound(found).join()).toMatch(/pull_request/)
  },
)
