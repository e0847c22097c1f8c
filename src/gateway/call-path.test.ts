import { describe, expect, test } from 'vitest'
import { AppError } from '#kernel/errors'
import { callResult, testCall, everything } from '../../test/support/test-call.ts'
import { openTestRegistry, quiet, snapshotOf, upstreamDraft } from '../../test/support/test-registry.ts'
import type { CallKind, Dispatch, Interceptor } from './call.ts'
import { callPath, createGateway, type Links } from './call-path.ts'
import { createHistory } from './history.ts'

const ORDER = [
  'admitAudit',
  'fallback',
  'validateArguments',
  'guards',
  'cache',
  'limitConcurrency',
  'retry',
  'breaker',
  'timeout',
] as const
/** Of calls that are not of tools. */
const ALL = [ORDER[0], ...ORDER.slice(5)]
/** Those that a call to a tool without a cache and a fallback passes. */
const PASSED = ORDER.filter((name) => name !== 'cache' && name !== 'fallback')

async function openGateway(dispatch: Dispatch, own: Partial<Links> = {}) {
  const t = await openTestRegistry()
  const { id } = await t.registry.upstreams.register(upstreamDraft('files'))
  await t.registry.publishSnapshot(snapshotOf(id, { tools: ['read'], prompts: ['ask'], resources: ['file:///a'] }))
  const passed: string[] = []
  const link =
    (name: string): Interceptor =>
    async (call, next) => {
      passed.push(name)
      return next(call)
    }
  const history = createHistory({ store: t.storage.executions, log: quiet, now: Date.now })
  const heard: string[] = []
  const observers = {
    trace: (_call, outcome) => void heard.push(outcome instanceof AppError ? outcome.code : outcome.text),
    history: history.ended,
    audit: () => undefined,
    learn: () => undefined,
    count: () => undefined,
  } satisfies Partial<Links>
  const ways = Object.fromEntries(ORDER.map((name) => [name, link(name)])) as Pick<Links, (typeof ORDER)[number]>
  const links: Links = { ...observers, ...ways, hasGuards: () => true, ...own }
  const gateway = createGateway({ views: everything(t.registry.catalog), path: callPath(links), dispatch })
  return {
    gateway,
    passed,
    heard,
    async rows() {
      await history.flush()
      return (await t.storage.executions.list({ limit: 10, offset: 0 })).executions
    },
    async [Symbol.asyncDispose]() {
      await history[Symbol.asyncDispose]()
      await t[Symbol.asyncDispose]()
    },
  }
}

describe('R252 the call path', () => {
  test.each<[CallKind, string, readonly string[]]>([
    ['tool', 'files__read', PASSED],
    ['prompt', 'files__ask', ALL],
    ['resource', 'file:///a', ALL],
  ])('takes a %s through its links in their order, and notes when', async (kind, name, links) => {
    await using t = await openGateway(async () => callResult())
    const call = testCall({ kind, name })
    await t.gateway.run(call)
    expect(t.passed).toEqual(links)
    const stages = call.notes.stages.flat()
    const kebab = links.map((each) => each.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`))
    expect(stages.filter((each) => typeof each === 'string')).toEqual([...kebab, 'dispatch'])
    expect(stages.filter((each) => typeof each === 'number' && each >= 0)).toHaveLength(links.length + 1)
    expect(call.notes.server).toBe('files')
  })

  test('lets a link answer without the rest, and run the rest again', async () => {
    let calls = 0
    const answering = await openGateway(async () => callResult(), { guards: async () => callResult('{"x":1}') })
    await using t = answering
    expect((await t.gateway.run(testCall())).text).toBe('{"x":1}')
    expect(t.passed).not.toContain('timeout')
    await using u = await openGateway(async () => callResult(`{"call":${(calls += 1)}}`), {
      guards: async (call, next) => {
        await next(call)
        return next(call)
      },
    })
    expect((await u.gateway.run(testCall())).text).toBe('{"call":2}')
  })

  test('leaves out what the operator wants none of', async () => {
    await using t = await openGateway(async () => callResult(), { admitAudit: undefined, hasGuards: () => false })
    const call = testCall()
    await t.gateway.run(call)
    const left = PASSED.filter((name) => name !== 'admitAudit' && name !== 'guards')
    expect(t.passed).toEqual(left)
    expect(call.notes.stages.filter((each) => typeof each === 'string')).toHaveLength(left.length + 1)
  })

  test('keeps a row of a call that leads nowhere, and never dispatches it', async () => {
    let dispatched = 0
    await using t = await openGateway(async () => callResult(String((dispatched += 1))))
    await expect(t.gateway.run(testCall({ name: 'nothing' }))).rejects.toMatchObject({ code: 'tool_not_found' })
    expect(await t.rows()).toMatchObject([
      { name: 'nothing', outcome: 'error', errorCode: 'tool_not_found', server: '' },
    ])
    expect([dispatched, t.passed, t.heard, t.gateway.running]).toEqual([0, [], ['tool_not_found'], 0])
  })

  test('gives the answer when its observers are ready, and tells them once of each call', async () => {
    const busy = Promise.withResolvers<void>()
    const told: unknown[] = []
    await using t = await openGateway(async () => callResult('{"x":1}'), {
      trace(_call, outcome) {
        told.push(outcome)
        return busy.promise
      },
    })
    let isAnswered = false
    const answer = t.gateway.run(testCall()).then((result) => {
      isAnswered = true
      return result
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect([isAnswered, told.length, t.gateway.running]).toEqual([false, 1, 1])
    busy.resolve()
    expect(told).toEqual([await answer])
    await expect(t.gateway.run(testCall({ name: 'nothing' }))).rejects.toBe(told[1])
    expect(told).toHaveLength(2)
  })

  test('counts what runs, however it ends, and a stopping gateway waits for it and takes nothing more', async () => {
    const ends = [Promise.withResolvers<never>(), Promise.withResolvers<never>()]
    let next = 0
    await using t = await openGateway(() => ends[next++]!.promise)
    const runs = [t.gateway.run(testCall()), t.gateway.run(testCall())]
    expect(t.gateway.running).toBe(2)
    let isIdle = false
    const idle = t.gateway.drain().then(() => (isIdle = true))
    await expect(t.gateway.run(testCall())).rejects.toMatchObject({ code: 'unavailable' })
    ends[0]!.reject(new AppError('timeout', 'late'))
    await expect(runs[0]).rejects.toMatchObject({ code: 'timeout' })
    expect([t.gateway.running, isIdle]).toEqual([1, false])
    ends[1]!.reject(new Error('bug'))
    await expect(runs[1]).rejects.toThrow('bug')
    await idle
    expect(t.gateway.running).toBe(0)
  })
})
