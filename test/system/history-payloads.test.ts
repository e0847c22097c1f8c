import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ExecutionDetails } from '#contract/execution'
import { startBackend, type RecordingBackend } from '../support/recording-backend.ts'
import { durableEngines } from '../support/storage-engines.ts'
import { newDirectory, startTestApp, type TestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const SECRET = 'k9Zq-4vXw2Lm7Tb1Yc6Rd8Pf3Hs5Ja0Ne-history'
const ALL = { META_MCP_HISTORY_PAYLOADS: 'all' }

const inputSchema = {
  type: 'object',
  properties: {
    said: { type: 'string' },
    pin: { type: 'string', format: 'password' },
    nested: { $ref: '#/$defs/nested' },
  },
  $defs: { nested: { type: 'object', properties: { once: { writeOnly: true } } } },
}

const fileOf = ({ url }: RecordingBackend, guards: readonly object[] = []) => ({
  tools: { say: { endpoint: `${url}/say`, inputSchema }, other: { endpoint: `${url}/other` } },
  guards,
})

/** One call as the history shows it to him who made it. */
async function kept({ api }: TestApp, id: string): Promise<ExecutionDetails> {
  let found: ExecutionDetails | undefined
  await until('the call is in the history', async () => {
    const { status, body } = await api.send<ExecutionDetails>('GET', `executions/${id}`)
    found = body
    return status === 200
  })
  return found!
}

async function called(gateway: TestApp, tool: string, args: object): Promise<ExecutionDetails> {
  const { body } = await gateway.api.execute(tool, args)
  if (body.execution_id !== undefined) return kept(gateway, body.execution_id)
  // A failure does not say its id: it is the newest.
  const newest = async () => {
    const { executions } = (await gateway.api.send<{ executions: ExecutionDetails[] }>('GET', 'executions?limit=1'))
      .body
    return executions[0]
  }
  await until('the failure is in the history', async () => (await newest())?.error === body.error)
  return kept(gateway, (await newest())!.execution_id)
}

test('R053 nothing of what calls carry is kept unless the operator says so', async () => {
  await using backend = await startBackend()
  await using gateway = await startTestApp({ file: fileOf(backend) })
  backend.on('/say', '{"said":"back"}')
  expect(await called(gateway, 'say', { said: 'x' })).toMatchObject({ payloads: 'none', arguments: null, result: null })
})

test('with `arguments` they are kept without what is secret by schema, name or address, and results are not', async () => {
  await using backend = await startBackend()
  await using gateway = await startTestApp({
    file: fileOf(backend),
    env: { META_MCP_HISTORY_PAYLOADS: 'arguments' },
  })
  backend.on('/say', '{"said":"back"}')
  const args = {
    said: 'hello',
    pin: 'canary-1',
    nested: { once: 'canary-2', more: 1 },
    apiKey: 'canary-3',
    from: 'https://me:canary-4@example.com/?token=canary-5',
    embedded: '{"password":"canary-6","said":"in"}',
  }
  const { payloads, arguments: found, result } = await called(gateway, 'say', args)
  expect([payloads, result]).toEqual(['shown', null])
  expect(found).toEqual({
    value: {
      said: 'hello',
      pin: '***',
      nested: { once: '***', more: 1 },
      apiKey: '***',
      from: 'https://***@example.com/?token=***',
      embedded: '{"password":"***","said":"in"}',
    },
    text: null,
    truncated: false,
  })
  const list = await gateway.api.send('GET', 'executions')
  expect(list.text).not.toMatch(/hello|canary|payloads/)
})

test('with `all` results are kept, too, also of what says its JSON again as text; the long are cut, the longest left out', async () => {
  await using backend = await startBackend()
  await using gateway = await startTestApp({ file: fileOf(backend), env: ALL })
  backend.on('/say', '{"said":"back","token":"canary-1"}')
  const { result } = await called(gateway, 'say', {})
  expect(JSON.stringify(result)).toMatch(/back/)
  expect(JSON.stringify(result)).not.toMatch(/canary/)
  backend.on('/say', JSON.stringify({ said: 'y'.repeat(30_000) }))
  const long = await called(gateway, 'say', { said: 'z'.repeat(300_000) })
  expect(long.result).toMatchObject({ value: null, truncated: true })
  expect(long.result?.text).toMatch(/^\{.*y{1000}$/)
  expect(long.result?.text?.length).toBe(16_384)
  expect(long.arguments).toEqual({ value: null, text: '', truncated: true })
})

describe('what a rule of the operator took away', () => {
  test('is not kept: arguments that it removed, changed or set itself, and what it redacted in a result', async () => {
    await using place = await newDirectory()
    await using backend = await startBackend()
    const module = join(place.path, 'guard.mjs')
    await writeFile(
      module,
      `export function before({ arguments: { removed, ...rest } }) { return { ...rest, changed: 'canary-2' } }`,
    )
    const guards = [
      { tools: ['say'], setArguments: { tenant: 'canary-3' } },
      { tools: ['say'], module },
      { tools: ['say'], redact: { pattern: '[0-9]{4}-[0-9]{4}', replacement: '****' } },
    ]
    await using gateway = await startTestApp({ file: fileOf(backend, guards), env: ALL })
    backend.on('/say', '{"card":"1234-5678"}')
    backend.on('/other', '{}')
    const { arguments: found, result } = await called(gateway, 'say', {
      said: 'x',
      removed: 'canary-1',
      changed: 'mine',
    })
    expect(JSON.parse(backend.seen[0]?.body ?? '')).toEqual({ said: 'x', tenant: 'canary-3', changed: 'canary-2' })
    expect(found?.value).toEqual({ said: 'x' })
    expect(JSON.stringify(result)).toMatch(/\*{4}/)
    expect(JSON.stringify(result)).not.toMatch(/1234/)
    const other = await called(gateway, 'other', { removed: 'stays' })
    expect(other.arguments?.value).toEqual({ removed: 'stays' })
  })

  test('is not kept: all arguments of a call that it refused, or that never came to it', async () => {
    await using backend = await startBackend()
    const guards = [{ tools: ['*'], deny: 'not today' }]
    await using gateway = await startTestApp({ file: fileOf(backend, guards), env: ALL })
    const refused = await called(gateway, 'say', { said: 'canary' })
    expect(refused).toMatchObject({ error: 'policy_violation', payloads: 'none', arguments: null })
    const invalid = await called(gateway, 'say', { said: 7, other: 'canary' })
    expect(invalid).toMatchObject({ error: 'validation_error', payloads: 'none', arguments: null })
  })
})

for (const engine of durableEngines) {
  test.skipIf(!engine.available)(`what is kept of a call is there after a restart, on ${engine.name}`, async () => {
    await using directory = await newDirectory()
    await using place = await engine.place()
    await using backend = await startBackend()
    const { database } = place
    const url = database.kind === 'sqlite' ? `sqlite:${database.path}` : database.url.reveal()
    const env = { ...ALL, META_MCP_DATABASE_URL: url, META_MCP_SECRET_KEY: SECRET }
    const options = { directory: directory.path, env, file: fileOf(backend) }
    backend.on('/say', '{"said":"back"}')
    const gateway = await startTestApp(options)
    const { body } = await gateway.api.execute('say', { said: '\u0000 \ud83d' })
    await gateway[Symbol.asyncDispose]()
    await using again = await startTestApp({ ...options, env: { ...env, META_MCP_HISTORY_PAYLOADS: 'none' } })
    const { arguments: found } = await kept(again, body.execution_id)
    expect(found?.value).toEqual({ said: '\u0000 \ud83d' })
  })
}
