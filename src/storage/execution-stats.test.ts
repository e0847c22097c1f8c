import { describe, expect, test } from 'vitest'
import type { Execution } from '#gateway/executions'
import { durableEngines, freshStorage, openQuietly, storageEngines } from '../../test/support/storage-engines.ts'
import { execution } from '../../test/support/storage-samples.ts'

const NOON = 1_800_000_000_000
const DAY = 86_400_000
const tool = 'files__read'

/** Times from parts of a millisecond to minutes, in no order, the same each time. */
const TIMES = Array.from({ length: 5_000 }, (_, index) => 300_000 ** (((index * 7_919) % 5_000) / 5_000) - 0.5)

function nearestRank(times: readonly number[], share: number): number {
  return times.toSorted((one, other) => one - other)[Math.ceil(share * times.length) - 1] ?? 0
}

const calls = (count: number, change: Partial<Execution> = {}): Execution[] =>
  Array.from({ length: count }, () => execution(change))

for (const engine of storageEngines) {
  describe.skipIf(!engine.available)(`statistics of calls on ${engine.name}`, () => {
    test('counts and average are exact, percentiles less than a tenth off, also when all rows are pruned (R054)', async () => {
      await using storage = await freshStorage(engine)
      const all = TIMES.map((durationMs, index) =>
        execution({ durationMs, startedAt: NOON + index, outcome: index % 4 === 0 ? 'error' : 'success' }),
      )
      for (let from = 0; from < all.length; from += 500) await storage.executions.append(all.slice(from, from + 500))
      expect(await storage.executions.prune(NOON + DAY)).toBe(5_000)
      const stats = await storage.executions.stats({ tool })
      expect(stats).toMatchObject({ calls: 5_000, successes: 3_750, errors: 1_250, lastCalledAt: NOON + 4_999 })
      expect(stats.averageMs).toBeCloseTo(TIMES.reduce((sum, each) => sum + each, 0) / 5_000, 6)
      for (const [share, found] of [
        [0.5, stats.p50Ms],
        [0.95, stats.p95Ms],
        [0.99, stats.p99Ms],
      ] as const)
        // prettier-ignore
        expect(Math.abs((found ?? 0) / nearestRank(TIMES, share) - 1)).toBeLessThan(0.1)
    })

    test('calls that took the same have exactly that as percentiles; without calls there are no times', async () => {
      await using storage = await freshStorage(engine)
      await storage.executions.append([...calls(98, { durationMs: 20 }), ...calls(2, { durationMs: 0.25 })])
      const times = { averageMs: 19.605, p50Ms: 20, p95Ms: 20, p99Ms: 20, lastCalledAt: NOON }
      expect(await storage.executions.stats({ tool })).toEqual({ calls: 100, successes: 100, errors: 0, ...times })
      // Two times of one class are mixed: classes must be so narrow that these are none.
      const twins = { name: 'twins', startedAt: NOON }
      await storage.executions.append([
        ...calls(60, { ...twins, durationMs: 17 }),
        ...calls(40, { ...twins, durationMs: 18 }),
      ])
      expect(await storage.executions.stats({ tool: 'twins' })).toMatchObject({ p50Ms: 17, p95Ms: 18 })
      expect(await storage.executions.stats({ tool: 'none' })).toStrictEqual({ calls: 0, successes: 0, errors: 0 })
    })

    test('a batch that comes again, in part or with others, counts once', async () => {
      await using storage = await freshStorage(engine)
      const [first, second] = [calls(3), calls(2)]
      await storage.executions.append(first)
      await storage.executions.append(first)
      await storage.executions.append([...second, ...first.slice(1)])
      await storage.executions.append([...calls(1), second[0]!, second[0]!])
      expect(await storage.executions.stats({ tool })).toMatchObject({ calls: 6 })
      expect(await storage.executions.list({ limit: 1, offset: 0 })).toMatchObject({ total: 6 })
    })

    test('of a batch that fails nothing counts', async () => {
      await using storage = await freshStorage(engine)
      const broken = execution({ durationMs: null as unknown as number })
      await expect(storage.executions.append([execution(), broken])).rejects.toMatchObject({ code: 'unavailable' })
      expect(await storage.executions.stats({ tool })).toMatchObject({ calls: 0 })
    })

    test('a server has the calls of all its tools, prompts and resources, and names that callers make up count for nobody', async () => {
      await using storage = await freshStorage(engine)
      const made = { name: 'made__up', server: '', outcome: 'error', errorCode: 'tool_not_found' } as const
      await storage.executions.append([
        ...calls(2),
        execution({ name: 'files__write' }),
        execution({ kind: 'resource', name: 'file:///any' }),
        execution({ kind: 'prompt', name: tool, outcome: 'error' }),
        execution({ server: 'mail', name: 'mail__send' }),
        execution(made),
      ])
      const { executions } = storage
      expect(await executions.stats({ server: 'files' })).toMatchObject({ calls: 5, successes: 4, errors: 1 })
      expect(await executions.stats({ tool })).toMatchObject({ calls: 2, errors: 0 })
      for (const nothing of [{ tool: 'file:///any' }, { tool: made.name }, { server: '' }])
        expect(await executions.stats(nothing)).toMatchObject({ calls: 0 })
    })

    test('days can be asked for, and those that are over removed', async () => {
      await using storage = await freshStorage(engine)
      const { executions } = storage
      for (const [day, count] of [1, 2, 4].entries())
        await executions.append(calls(count, { startedAt: NOON + day * DAY, durationMs: count }))
      expect(await executions.stats({ tool, from: NOON + DAY })).toMatchObject({ calls: 6, p50Ms: 4 })
      expect(await executions.pruneStats(NOON + DAY)).toBe(1)
      expect(await executions.stats({ tool })).toMatchObject({ calls: 6, lastCalledAt: NOON + 2 * DAY })
    })

    test('a name that breaks what is not careful has statistics like any other', async () => {
      await using storage = await freshStorage(engine)
      const name = `'; drop table execution_stats; -- \0 \ud800`
      await storage.executions.append(calls(2, { name, server: name }))
      expect(await storage.executions.stats({ tool: name })).toMatchObject({ calls: 2 })
      expect(await storage.executions.stats({ server: name })).toMatchObject({ calls: 2 })
    })
  })
}

for (const engine of durableEngines) {
  test.skipIf(!engine.available)(`the statistics of calls survive a restart on ${engine.name}`, async () => {
    await using place = await engine.place()
    for (let start = 1; start <= 3; start += 1) {
      await using storage = await openQuietly(place.database)
      await storage.executions.append(calls(2))
      expect(await storage.executions.stats({ tool })).toMatchObject({ calls: 2 * start })
    }
  })
}

const [, postgres] = durableEngines

const batch = (): Execution[] =>
  Array.from({ length: 60 }, (_, index) => execution({ name: `t${index % 20}`, durationMs: 1 + (index % 3) }))

/** Each writes the same rows at the same time, in its own order: neither a lost addition nor a deadlock. */
test.skipIf(!postgres?.available)('what several gateways on one PostgreSQL count adds up', async () => {
  await using place = await postgres!.place()
  const gateways = await Promise.all([1, 2, 3].map(() => openQuietly(place.database)))
  await Promise.all(
    gateways.flatMap(({ executions }, index) =>
      Array.from({ length: 15 }, () => executions.append(index % 2 ? batch() : batch().toReversed())),
    ),
  )
  const stats = await gateways[0]!.executions.stats({ server: 'files' })
  expect(stats).toMatchObject({ calls: 3 * 15 * 60, averageMs: 2 })
  for (const gateway of gateways) await gateway[Symbol.asyncDispose]()
})
