import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ExecutionBody } from '#contract/execution'
import { startBackend, type RecordingBackend } from '../support/recording-backend.ts'
import { newDirectory, startTestApp, type TestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const fileOf = (backend: RecordingBackend, guards: readonly object[]) => ({
  tools: { read: { endpoint: `${backend.url}/read` }, drop: { endpoint: `${backend.url}/drop` } },
  guards,
})

async function lastExecution({ api }: TestApp): Promise<ExecutionBody> {
  let executions: ExecutionBody[] = []
  await until('the history has the call', async () => {
    executions = (await api.send<{ executions: ExecutionBody[] }>('GET', 'executions')).body.executions
    return executions.length > 0
  })
  return executions[0]!
}

test('R122: a denied call never reaches the backend, says the operator’s reason, and is kept in the history', async () => {
  await using backend = await startBackend()
  await using gateway = await startTestApp({ file: fileOf(backend, [{ tools: ['dr*'], deny: 'not on Fridays' }]) })
  backend.on('/read', '{}')
  const { status, body } = await gateway.api.execute('drop', { table: 'users' })
  expect([status, body.error]).toEqual([403, 'policy_violation'])
  expect(body.message).toContain('not on Fridays')
  expect(backend.seen).toEqual([])
  const execution = await lastExecution(gateway)
  expect(execution).toMatchObject({ name: 'drop', status: 'error', error: 'policy_violation' })
  expect(execution.stages.map(({ stage }) => stage).slice(-2)).toEqual(['validate-arguments', 'guards'])
  expect((await gateway.api.execute('read')).status).toBe(200)
})

test('R122: a guard sets arguments and redacts results, and changes no digit of anything else', async () => {
  await using backend = await startBackend()
  const guards = [
    { tools: ['*'], setArguments: { tenant: 'acme', limit: 10 } },
    { tools: ['read'], redact: { pattern: '[0-9]{4}-[0-9]{4}', replacement: '****' } },
  ]
  await using gateway = await startTestApp({ file: fileOf(backend, guards) })
  backend.on('/read', '{"card":"card 1234-5678","id":12345678901234567890,"rate":1.10,"nested":[{"1234-5678":"x"}]}')
  const { text, body } = await gateway.api.execute('read', '{"id": 98765432109876543210, "tenant": "mine"}')
  expect(backend.seen[0]?.body).toContain('98765432109876543210')
  expect(JSON.parse(backend.seen[0]?.body ?? '')).toMatchObject({ tenant: 'acme', limit: 10 })
  expect(body.result.content[0]?.text).toContain('card ****')
  expect(text).toContain(
    '"structuredContent":{"card":"card ****","id":12345678901234567890,"rate":1.10,"nested":[{"1234-5678":"x"}]}',
  )
})

test('R122: an operator’s module sees the call before and after, may change both, and refuses by throwing', async () => {
  await using place = await newDirectory()
  await using backend = await startBackend()
  const module = join(place.path, 'guard.mjs')
  await writeFile(
    module,
    `export function before(call) {
      if (call.arguments.forbidden) throw new Error('the module says no')
      return { ...call.arguments, by: call.principal, tool: call.tool }
    }
    export const after = async (call, result) => ({ ...result, structuredContent: { ...result.structuredContent, seen: true } })`,
  )
  await using gateway = await startTestApp({ file: fileOf(backend, [{ tools: ['read'], module }]) })
  backend.on('/read', '{"a":1}')
  const { body } = await gateway.api.execute('read', { q: 1 })
  expect(body.result.structuredContent).toEqual({ a: 1, seen: true })
  expect(JSON.parse(backend.seen[0]?.body ?? '')).toEqual({ q: 1, by: 'local', tool: 'read' })
  const refused = await gateway.api.execute('read', { forbidden: true })
  expect([refused.status, refused.body.error]).toEqual([403, 'policy_violation'])
  expect(refused.body.message).toContain('the module says no')
  expect(backend.seen).toHaveLength(1)
})

test('R122: guards change with the file, on disk or by reload; a broken file keeps the old ones and says so', async () => {
  await using backend = await startBackend()
  backend.on('/read', '{}')
  await using gateway = await startTestApp({ file: fileOf(backend, []) })
  const { api } = gateway
  const allowed = async () => (await api.execute('read')).status === 200
  expect(await allowed()).toBe(true)
  await gateway.writeFile(fileOf(backend, [{ tools: ['read'], deny: 'closed' }]))
  await until('the change on disk is in force', async () => !(await allowed()))
  const complaints = () => gateway.log.filter((line) => line.includes('config file rejected')).length
  for (const broken of [
    { guards: [{ tools: ['read'], redact: { pattern: '(', replacement: '' } }] },
    { guards: [{ tools: ['*'], module: '/no/such/module.mjs' }], tools: {} },
    { gards: [] },
  ]) {
    const before = complaints()
    await gateway.writeFile(broken)
    gateway.app.reload()
    await until('the broken file is reported', () => complaints() > before)
    expect((await api.execute('read')).body.message).toContain('closed')
  }
  await gateway.writeFile(fileOf(backend, []))
  gateway.app.reload()
  await until('the good file is in force', allowed)
})

test('R122: a module that was edited is loaded anew at the next reload', async () => {
  await using place = await newDirectory()
  await using backend = await startBackend()
  backend.on('/read', '{}')
  const module = join(place.path, 'guard.mjs')
  const write = (reason: string) => writeFile(module, `export const before = () => { throw new Error('${reason}') }`)
  await write('first')
  await using gateway = await startTestApp({ file: fileOf(backend, [{ tools: ['read'], module }]) })
  expect((await gateway.api.execute('read')).body.message).toContain('first')
  await write('second')
  gateway.app.reload()
  await until(
    'the edited module is in force',
    async () => {
      return (await gateway.api.execute('read')).body.message?.includes('second') ?? false
    },
    3000,
  )
})
