import { expect, test } from 'vitest'
import type { Execution } from '#gateway/executions'
import { uuidv7 } from '#kernel/ids'
import { localPrincipal } from '#identity/principal'
import { addServer, openTestApi } from '../../test/support/test-api.ts'

const START = Date.parse('2026-03-01T12:00:00.000Z')

function execution(change: Partial<Execution>): Execution {
  return {
    id: uuidv7(change.startedAt ?? START),
    traceId: 'ab'.repeat(16),
    kind: 'tool',
    name: 'files__read',
    server: 'files',
    principal: 'local',
    surface: 'rest',
    outcome: 'success',
    isError: false,
    startedAt: START,
    durationMs: 10,
    requestBytes: 20,
    resultBytes: 30,
    stages: ['route', 1],
    ...change,
  }
}

const FAILED = { outcome: 'error', errorCode: 'timeout', errorMessage: 'It took too long', principal: 'ann' } as const

test('R053 the history shows success and failure with user, duration and status, newest first', async () => {
  await using t = await openTestApi()
  const [old, failed] = [execution({}), execution({ ...FAILED, startedAt: START + 1000, durationMs: 5000 })]
  await t.storage.executions.append([old, failed])
  expect((await t.send('GET', '/api/v1/executions')).body).toMatchObject({
    executions: [
      {
        execution_id: failed.id,
        principal: 'ann',
        status: 'error',
        error: 'timeout',
        error_message: 'It took too long',
        duration_ms: 5000,
        started_at: '2026-03-01T12:00:01.000Z',
      },
      {
        execution_id: old.id,
        principal: 'local',
        status: 'success',
        error: null,
        stages: [{ stage: 'route', at_ms: 1 }],
      },
    ],
    total: 2,
    limit: 100,
    offset: 0,
  })
  expect((await t.send('GET', `/api/v1/executions/${failed.id}`)).body).toMatchObject({ execution_id: failed.id })
  expect(await t.send('GET', `/api/v1/executions/${uuidv7()}`)).toMatchObject({
    status: 404,
    body: { error: 'not_found' },
  })
})

test.each([
  ['name=files__write', 1],
  ['server=files', 3],
  ['server=none', 0],
  ['principal=ann', 1],
  ['status=error', 1],
  ['from=2026-03-01T12:00:01Z', 2],
  ['to=2026-03-01T12:00:01Z', 1],
  ['from=2026-03-01T14:00:01%2B02:00&to=2026-03-01T12:00:02Z', 1],
  ['limit=2', 3],
])('R053 %s leaves %i', async (query, total) => {
  await using t = await openTestApi()
  const executions = [{}, { ...FAILED, startedAt: START + 1000 }, { name: 'files__write', startedAt: START + 2000 }]
  await t.storage.executions.append(executions.map(execution))
  expect((await t.send('GET', `/api/v1/executions?${query}`)).body).toMatchObject({ total })
})

test.each(['from=yesterday', 'status=maybe', 'offset=-1', 'limit=x'])('R160 %s is refused', async (query) => {
  await using t = await openTestApi()
  expect((await t.send('GET', `/api/v1/executions?${query}`)).status).toBe(422)
})

test('the statistics of a tool count what happened to it', async () => {
  await using t = await openTestApi()
  await addServer(t, 'files', ['read'])
  const url = '/api/v1/tools/files__read/stats'
  expect((await t.send('GET', url)).body).toMatchObject({
    calls: 0,
    success_rate: null,
    average_ms: null,
    last_called_at: null,
  })
  await t.storage.executions.append([
    execution({ durationMs: 10 }),
    execution({ durationMs: 20 }),
    execution({ ...FAILED, durationMs: 60 }),
  ])
  expect((await t.send('GET', url)).body).toMatchObject({
    tool_name: 'files__read',
    calls: 3,
    successes: 2,
    errors: 1,
    success_rate: 2 / 3,
    average_ms: 30,
    p50_ms: 20,
    p99_ms: 60,
    last_called_at: '2026-03-01T12:00:00.000Z',
  })
  expect((await t.send('GET', '/api/v1/tools/none/stats')).status).toBe(404)
})

/** Who sees the history need not see what others put into their calls. */
test('what a call carried is shown to him who made it and to auditors, and never to a key of less than its owner', async () => {
  const asked = { text: '{"said":"x"}', isCut: false }
  const call = execution({ principal: 'ann', payloads: { arguments: asked } })
  const ann = { ...localPrincipal('developer'), id: 'ann' }
  const key = { ...ann, kind: 'api-key', namespaces: ['dev'], permissions: ['executions:read'] } as const
  const shown = { payloads: 'shown', arguments: { value: { said: 'x' }, text: null, truncated: false }, result: null }
  const hidden = { payloads: 'hidden', arguments: null, result: null }
  for (const [principal, expected] of [
    [ann, shown],
    [localPrincipal('auditor'), shown],
    [localPrincipal('admin'), shown],
    [localPrincipal('developer'), hidden],
    [localPrincipal('operator'), hidden],
    [key, hidden],
  ] as const) {
    await using t = await openTestApi({ principal })
    await t.storage.executions.append([call])
    expect((await t.send('GET', `/api/v1/executions/${call.id}`)).body, principal.roles[0]).toMatchObject(expected)
    expect((await t.send('GET', '/api/v1/executions')).text).not.toContain('said')
  }
})
