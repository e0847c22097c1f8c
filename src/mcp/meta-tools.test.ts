import { expect, test } from 'vitest'
import { LOCAL_PRINCIPAL } from '#identity/principal'
import type { JsonObject } from '#kernel/json'
import type { RpcRequest } from '#kernel/rpc-message'
import type { ToolSearch } from '#search/tool-search'
import { namespaceDraft, openTestRegistry, snapshotOf, type TestRegistry } from '../../test/support/test-registry.ts'
import { catalogSummary } from './catalog-summary.ts'
import { tokensOf } from './definition-tokens.ts'
import { exposureOf } from './exposure.ts'
import { metaResultText } from './meta-results.ts'
import { createMetaTools } from './meta-tools.ts'
import { nearestNames } from './nearest-names.ts'
import { createTokenLedger, noTokens } from './token-ledger.ts'

type Found = Pick<Awaited<ReturnType<ToolSearch['search']>>, 'found' | 'nearest'>

const NO_MORE = { total: 0, weights: { keyword: 0, semantic: 0 }, parts: [], cached: false }

function called(name: string, args: JsonObject): RpcRequest {
  const params = { name, arguments: args }
  return { kind: 'request', id: 1, idText: '1', method: 'tools/call', params, paramsText: JSON.stringify(params) }
}

const NONE: Found = { found: [], nearest: [] }

/** What the meta-tools of the namespace `dev` say when the search finds this. */
async function answered(t: TestRegistry, found: Found, request: RpcRequest): Promise<JsonObject> {
  const { meaningOf } = createMetaTools({ search: { search: () => Promise.resolve({ ...NO_MORE, ...found }) } })
  const meaning = await meaningOf(request, { view: t.registry.catalog.view('dev')!, principal: LOCAL_PRINCIPAL })
  if (meaning.kind === 'call') throw new Error('goes on as a call')
  return JSON.parse(metaResultText(meaning.result)) as JsonObject
}

async function withDev(): Promise<TestRegistry> {
  const t = await openTestRegistry()
  for (const name of ['a', 'b', 'c']) await t.add(name, ['read'])
  await t.registry.namespaces.register(namespaceDraft('dev', { servers: ['a', 'b'], expose: 'search' }))
  return t
}

test('a search that fits nothing says so, and names the nearest servers of the namespace alone (R052)', async () => {
  await using t = await withDev()
  const none = { found: [], nearest: ['c', 'b'] }
  expect(await answered(t, none, called('search_tools', { query: 'fly\n to\u202e the moon' }))).toEqual({
    content: [
      {
        type: 'text',
        text: 'No tool fits "fly to the moon". The servers that come nearest: b. Say the task in other words, or ask for what these have.',
      },
    ],
    structuredContent: { tools: [], nearest: ['b'] },
  })
  const silent = await answered(t, NONE, called('search_tools', { query: 'fly' }))
  expect(silent['structuredContent']).toEqual({ tools: [], nearest: ['a', 'b'] })
})

test('a found tool that the namespace does not show is not passed on (R111)', async () => {
  await using t = await withDev()
  const tools = t.registry.catalog.view()!.tools
  const found = tools.map((tool) => ({ tool, score: 1, keyword: 1, semantic: 1 }))
  const { structuredContent } = await answered(t, { found, nearest: [] }, called('search_tools', { query: 'read' }))
  expect(JSON.stringify(structuredContent)).not.toContain('c__read')
  expect(JSON.stringify(structuredContent)).toContain('b__read')
})

test('who mistypes a name is told the nearest ones, the most alike first (R052)', async () => {
  const names = ['files__write', 'files__read_text', 'mail__send', 'x']
  expect(nearestNames(['read_txt_file', 'FILES__RAED'], names, 2)).toEqual(['files__read_text', 'files__write'])
  expect(nearestNames(['', 'q', '??'], names, 5)).toEqual([])
  await using t = await withDev()
  const { content, isError } = await answered(t, NONE, called('describe_tools', { names: ['a_raed'] }))
  expect(isError).toBe(true)
  expect(content).toMatchObject([{ text: 'No tool is called "a_raed". The nearest names: a__read, b__read.' }])
})

test('the summary of a catalog names every kind of tool and stays within its length (R111)', async () => {
  await using t = await openTestRegistry()
  await t.add('files', ['read', 'write'], { description: 'Files on disk.\nFor everybody.' })
  await t.add('mail', ['send', 'list', 'move', 'flag', 'drop'])
  const view = () => t.registry.catalog.view()!
  expect(catalogSummary(view(), 500)).toBe('files (2): Files on disk; mail (5): send, list, move, flag, …')
  expect(catalogSummary(view(), 40)).toBe('files (2); mail (5)')
  for (let count = 0; count < 60; count += 1)
    await t.add(`server-${count}`, ['x'], { description: 'word '.repeat(100) })
  for (const most of [0, 20, 100, 700, 2000, 20_000]) {
    const text = catalogSummary(view(), most)
    expect(text.length, text).toBeLessThanOrEqual(Math.max(most, 10))
    expect(catalogSummary(view(), most)).toBe(text)
  }
  expect(catalogSummary(view(), 300)).toMatch(/^files, mail, server-0, .* and \d+ more$/)
})

test.each([
  { bytes: 40_000, tokens: 10_000, now: 'all' },
  { bytes: 40_001, tokens: 10_001, now: 'search' },
])('auto comes to $now where the definitions are $tokens tokens (R111)', async ({ bytes, tokens, now }) => {
  await using t = await openTestRegistry()
  await t.registry.namespaces.register(namespaceDraft('dev', { expose: 'auto' }))
  const id = await t.add('a', [], { prefix: '' })
  const text = `{"name":"é","x":"${'x'.repeat(bytes - 20)}"}`
  await t.registry.publishSnapshot({ ...snapshotOf(id, {}), tools: [{ key: 'é', text }] })
  const exposure = exposureOf(t.registry.catalog.view('dev')!)
  expect(exposure).toMatchObject({ now, tokens: { all: tokens } })
  expect(exposure.tokens.exposed).toBe(tokensOf(exposure.definitions.map((each) => each.text)))
})

test('the ledger forgets namespaces that are gone and shows the sessions that were used last (R111)', async () => {
  await using t = await withDev()
  const sessions = Array.from({ length: 150 }, (_, index) => ({
    id: `secret-${index}`,
    namespace: 'dev',
    lastUsedAt: index,
    definitionTokens: noTokens(),
  }))
  const ledger = createTokenLedger(t.registry.catalog, () => sessions)
  ledger.count({ namespace: 'dev' }, { wouldHaveReceived: 100, received: 10 })
  ledger.count(sessions[149]!, { wouldHaveReceived: 0, received: 5 })
  const report = ledger.report()
  expect(report.namespaces).toEqual([{ namespace: 'dev', wouldHaveReceived: 100, received: 15 }])
  expect(report.sessions).toHaveLength(100)
  expect(report.sessions[0]).toMatchObject({ namespace: 'dev', received: 5 })
  expect(JSON.stringify(report)).not.toContain('secret')
  await t.registry.namespaces.remove('dev')
  ledger.count({ namespace: undefined }, { wouldHaveReceived: 1, received: 1 })
  expect(ledger.report().namespaces).toEqual([{ namespace: undefined, wouldHaveReceived: 1, received: 1 }])
})
