import { afterAll, expect, test } from 'vitest'
import { compareDoors, compareSubject, online, subjects, type Comparison } from '../support/lossless/cells.ts'
import { httpPipe } from '../support/lossless/pipes.ts'
import { connectPeer } from '../support/lossless/raw-peer.ts'
import { newDirectory, startTestApp } from '../support/test-app.ts'

// Left out on purpose: `initialize` and `server/discover` (the gateway introduces itself), names that no server has
// (the gateway cannot know whose error it would be), the members of a list beside its elements (one list of many servers).

const all: Comparison[] = []

afterAll(() => {
  const exchanges = all.reduce((sum, each) => sum + each.exchanges, 0)
  const differences = all.reduce((sum, each) => sum + each.differences.length, 0)
  console.log(`lossless: ${exchanges} exchanges, ${differences} differences`)
})

test.concurrent.for(subjects)('what $name says arrives to the letter (R113)', async (subject) => {
  await using root = await newDirectory()
  const comparison = await compareSubject(subject, root.path)
  all.push(comparison)
  expect(comparison.exchanges).toBeGreaterThan(80)
  expect(comparison.differences.map(shortened)).toEqual([])
})

const doors = subjects.filter(({ name }) => /^verbatim-http|^fixture-http-legacy/.test(name))

test.concurrent.for(doors)(
  'what $name says arrives to the letter over stdio and HTTP+SSE, too (R113)',
  async (subject) => {
    await using root = await newDirectory()
    const comparison = await compareDoors(subject, root.path)
    all.push(comparison)
    expect(comparison.exchanges).toBeGreaterThan(80)
    expect(comparison.differences.map(shortened)).toEqual([])
  },
)

test.concurrent('each client of a server on a pipe hears of what its own calls change (R113)', async () => {
  await using cleanup = new AsyncDisposableStack()
  const fixture = subjects.find(({ name }) => name === 'fixture-stdio-legacy')
  const server = { ...(await fixture?.start('/', cleanup)), prefix: '' }
  await using app = await startTestApp({ file: { servers: { server } } })
  await online(app.listening.url)
  const open = () => connectPeer(httpPipe(app.listening.mcp, { listen: true }), 'legacy', 'file:///')
  await using alice = await open()
  await using bob = await open()
  const uri = '"uri":"test://watched-resource"'
  const awaits = { 'notifications/resources/updated': 1 }
  for (const peer of [alice, bob]) {
    // With its roots the server holds a client's state: from now on this client has a session of its own.
    await peer.request('tools/call', '"name":"test_input_required_result_list_roots","arguments":{}')
    await peer.request('resources/subscribe', uri)
    const { told } = await peer.request('tools/call', `"name":"touch","arguments":{${uri}}`, { awaits })
    expect(told.at(-1)).toBe(`notifications/resources/updated {${uri}}`)
  }
})

/** The place where two texts part. */
function shortened({ where, request, direct, through }: Comparison['differences'][number]) {
  const length = Math.min(direct.length, through.length)
  let at = 0
  while (at < length && direct[at] === through[at]) at += 1
  const around = (text: string): string => text.slice(Math.max(0, at - 200), at + 600).replaceAll(/(.)\1{30,}/g, '$1…')
  return { where, request, direct: around(direct), through: around(through) }
}
