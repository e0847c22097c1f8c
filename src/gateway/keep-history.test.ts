import { describe, expect, test } from 'vitest'
import type { Logger } from '#kernel/logger'
import { freshStorage, storageEngines } from '../../test/support/storage-engines.ts'
import { execution, searchRecord } from '../../test/support/storage-samples.ts'
import { until } from '../../test/support/until.ts'
import { keepHistory } from './keep-history.ts'

const NOW = 1_800_000_000_000
const DAY = 86_400_000
const page = { limit: 1, offset: 0 }

function logger(warnings: string[]): Logger {
  return { debug() {}, info() {}, error() {}, warn: (_fields, phrase) => void warnings.push(phrase) }
}

const calls = (count: number, daysAgo: number) =>
  Array.from({ length: count }, () => execution({ startedAt: NOW - daysAgo * DAY }))

for (const engine of storageEngines) {
  describe.skipIf(!engine.available)(`keeping the history on ${engine.name}`, () => {
    test('0 days keep everything for ever', async () => {
      await using storage = await freshStorage(engine)
      await storage.executions.append(calls(3, 3_000))
      await storage.search.searches.append([searchRecord({ startedAt: 1 })])
      const { executions, search } = storage
      const retention = { days: 0, statisticsDays: 0 }
      const deps = { executions, searches: search.searches, retention, log: logger([]), now: () => NOW }
      await keepHistory(deps)[Symbol.asyncDispose]()
      expect([(await executions.list(page)).total, (await search.searches.list(page)).total]).toEqual([3, 1])
      expect(await executions.stats({ tool: 'files__read' })).toMatchObject({ calls: 3 })
    })

    test('statistics go when their own time is over', async () => {
      await using storage = await freshStorage(engine)
      await storage.executions.append([...calls(3, 500), ...calls(2, 300)])
      const { executions, search } = storage
      const retention = { days: 30, statisticsDays: 400 }
      const deps = { executions, searches: search.searches, retention, log: logger([]), now: () => NOW }
      await using keeper = keepHistory(deps)
      await until('all is removed', () => keeper.report().removed === 5)
      expect(await executions.stats({ tool: 'files__read' })).toMatchObject({ calls: 2 })
    })

    test('others are served while much is removed, and a gateway that ends waits for one piece', async () => {
      await using storage = await freshStorage(engine)
      for (let batch = 0; batch < 12; batch += 1) await storage.executions.append(calls(500, 40))
      const { executions, search } = storage
      const retention = { days: 30, statisticsDays: 400 }
      const deps = { executions, searches: search.searches, retention, log: logger([]), now: () => NOW }
      const keeper = keepHistory(deps)
      const between = async () => (await executions.list(page)).total
      await until('some are removed', async () => (await between()) < 6_000, 5_000)
      expect(await between()).toBeGreaterThan(500)
      await keeper[Symbol.asyncDispose]()
      const left = await between()
      expect(left).toBeGreaterThan(0)
      expect(await executions.prune(NOW - 30 * DAY)).toBe(left)
    })
  })
}

test('what cannot be removed is said once in the log, and in the report', async () => {
  const storage = await freshStorage(storageEngines[0]!)
  await storage[Symbol.asyncDispose]()
  const warnings: string[] = []
  const { executions, search } = storage
  const retention = { days: 30, statisticsDays: 400 }
  await using keeper = keepHistory({
    executions,
    searches: search.searches,
    retention,
    log: logger(warnings),
    now: () => NOW,
  })
  await until('it is reported', () => keeper.report().failure !== undefined)
  expect(keeper.report()).toMatchObject({ removed: 0, failure: 'The storage does not answer' })
  expect(warnings).toEqual(['history could not be pruned'])
})
