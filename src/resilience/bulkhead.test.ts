import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createBulkhead } from './bulkhead.ts'

const never = new AbortController().signal
const open = (limit: number, queueMax = 10) => createBulkhead({ limit, queueMax, waitMsMax: 1000, name: 'files' })

/** Work that ends when told. */
function job() {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  return { work: () => promise, resolve, reject }
}

const broken = (): Promise<never> => {
  throw new Error('at once')
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('R252 a bulkhead', () => {
  test('runs as many as it may at once, the others in the order they came', async () => {
    const bulkhead = open(2)
    const started: number[] = []
    const jobs = [0, 1, 2, 3].map(job)
    const runs = jobs.map(({ work }, index) => bulkhead.run(() => (started.push(index), work()), never))
    expect([started, bulkhead.running, bulkhead.waiting]).toEqual([[0, 1], 2, 2])
    jobs[1]!.resolve('b')
    await runs[1]
    await vi.waitFor(() => expect(started).toEqual([0, 1, 2]))
    jobs[0]!.reject(new Error('broken'))
    await expect(runs[0]).rejects.toThrow('broken')
    await vi.waitFor(() => expect(started).toEqual([0, 1, 2, 3]))
    jobs[2]!.resolve('c')
    jobs[3]!.resolve('d')
    expect(await Promise.all([runs[2], runs[3]])).toEqual(['c', 'd'])
    expect([bulkhead.running, bulkhead.waiting, vi.getTimerCount()]).toEqual([0, 0, 0])
  })

  test('refuses when too many wait, and says what is full', async () => {
    const bulkhead = open(1, 1)
    const first = job()
    const runs = [bulkhead.run(first.work, never), bulkhead.run(async () => 'second', never)]
    await expect(bulkhead.run(async () => 'third', never)).rejects.toMatchObject({
      code: 'overloaded',
      message: expect.stringContaining('files'),
    })
    first.resolve('first')
    expect(await Promise.all(runs)).toEqual(['first', 'second'])
  })

  test('D8 refuses at once who would get no place in time, and says when to come again', async () => {
    const bulkhead = open(1)
    const jobs = Array.from({ length: 10 }, job)
    const runs = [0, 1, 2, 3, 4].map((n) => bulkhead.run(jobs[n]!.work, never))
    for (const n of [0, 1, 2]) {
      await vi.advanceTimersByTimeAsync(300)
      jobs[n]!.resolve('')
      await runs[n]
    }
    // A place in 300 ms: three wait already, the fourth would still be in time.
    const refusals: unknown[] = []
    const later = [5, 6, 7, 8, 9].map((n) =>
      bulkhead.run(jobs[n]!.work, never).catch((error: unknown) => void refusals.push(error)),
    )
    await vi.advanceTimersByTimeAsync(0)
    expect([refusals.length, bulkhead.waiting]).toEqual([2, 4])
    expect(refusals[0]).toMatchObject({ code: 'overloaded', details: { retry_after: 2 } })
    for (const { resolve } of jobs) resolve('')
    await Promise.all([...runs, ...later])
    expect([bulkhead.running, bulkhead.waiting, vi.getTimerCount()]).toEqual([0, 0, 0])
  })

  test('D8 takes callers again when places become free faster, however slow they were', async () => {
    const bulkhead = open(1)
    const slow = [job(), job()]
    const runs = slow.map(({ work }) => bulkhead.run(work, never, 600_000))
    await vi.advanceTimersByTimeAsync(900)
    slow[0]!.resolve('')
    await runs[0]
    for (let n = 0; n < 30; n += 1) {
      const next = job()
      runs.push(bulkhead.run(next.work, never))
      expect(bulkhead.waiting, 'whoever is next may wait').toBe(1)
      slow[n + 1]!.resolve('')
      await runs[n + 1]
      slow.push(next)
    }
    slow.at(-1)!.resolve('')
    await Promise.all(runs)
  })

  test('lets nobody wait for ever, and a place that was waited for in vain is not lost', async () => {
    const bulkhead = open(1)
    const first = job()
    const running = bulkhead.run(first.work, never)
    const late = expect(bulkhead.run(async () => 'late', never)).rejects.toMatchObject({ code: 'timeout' })
    await vi.advanceTimersByTimeAsync(1000)
    await late
    first.resolve('first')
    await running
    expect(await bulkhead.run(async () => 'next', never)).toBe('next')
    expect([bulkhead.running, bulkhead.waiting, vi.getTimerCount()]).toEqual([0, 0, 0])
  })

  test('gives up with the reason of the signal, also of one that had given up before', async () => {
    const bulkhead = open(1)
    const first = job()
    const running = bulkhead.run(first.work, never)
    const controller = new AbortController()
    const waiting = bulkhead.run(async () => 'never', controller.signal)
    controller.abort(new Error('gone'))
    await expect(waiting).rejects.toThrow('gone')
    await expect(bulkhead.run(async () => 'never', controller.signal)).rejects.toThrow('gone')
    expect([bulkhead.waiting, vi.getTimerCount()]).toEqual([0, 0])
    first.resolve('first')
    await running
    expect(bulkhead.running).toBe(0)
  })

  test('lends a place to others while its holder waits for a person, and takes it back at once', async () => {
    const bulkhead = open(1)
    const person = job()
    const rest = job()
    const order: string[] = []
    const asking = bulkhead.run(async (place) => {
      await place.lend(person.work)
      order.push('back')
      return rest.work()
    }, never)
    const other = job()
    const waited = bulkhead.run(other.work, never)
    expect([bulkhead.running, bulkhead.waiting]).toEqual([1, 0])
    const third = bulkhead.run(async () => void order.push('third'), never)
    person.resolve('yes')
    await vi.waitFor(() => expect(order).toEqual(['back']))
    expect([bulkhead.running, bulkhead.waiting]).toEqual([2, 1])
    other.resolve('')
    await waited
    expect([bulkhead.running, bulkhead.waiting]).toEqual([1, 1])
    rest.resolve('')
    await Promise.all([asking, third])
    expect([order, bulkhead.running, bulkhead.waiting]).toEqual([['back', 'third'], 0, 0])
  })

  test('keeps its place when work throws at once', async () => {
    const bulkhead = open(1)
    for (let time = 0; time < 3; time += 1) await expect(bulkhead.run(broken, never)).rejects.toThrow('at once')
    expect(bulkhead.running).toBe(0)
  })
})
