import { describe, expect, test } from 'vitest'
import { freshStorage, storageEngines } from '../../test/support/storage-engines.ts'
import { execution, NAUGHTY_STRINGS } from '../../test/support/storage-samples.ts'

const page = { limit: 100, offset: 0 }
const NOON = 1_800_000_000_000

for (const engine of storageEngines) {
  describe.skipIf(!engine.available)(`history on ${engine.name}`, () => {
    test('a call comes back with all its facts', async () => {
      await using storage = await freshStorage(engine)
      const call = execution({ namespace: 'dev', outcome: 'error', errorCode: 'timeout', errorMessage: 'too slow' })
      await storage.executions.append([call])
      expect(await storage.executions.get(call.id)).toStrictEqual(call)
      expect(await storage.executions.get('unknown')).toBeUndefined()
    })

    test('what a call carried comes with the call alone, and goes with it', async () => {
      await using storage = await freshStorage(engine)
      const payloads = {
        arguments: { text: '{"a":"\\u0000"}', isCut: false },
        result: { text: '\ud800 {', isCut: true },
      }
      const calls = [execution({ payloads }), execution({ payloads, name: 'long '.repeat(100) }), execution()]
      await storage.executions.append(calls)
      for (const call of calls) expect(await storage.executions.get(call.id)).toStrictEqual(call)
      const { executions } = await storage.executions.list(page)
      expect(executions.map((each) => each.payloads)).toEqual([undefined, undefined, undefined])
      await storage.executions.prune(NOON + 1)
      await storage.executions.append(calls.map(({ payloads: _gone, ...call }) => call))
      for (const { id } of calls) expect(await storage.executions.get(id)).not.toHaveProperty('payloads')
    })

    test('a caller cannot break the history with a name', async () => {
      await using storage = await freshStorage(engine)
      const calls = NAUGHTY_STRINGS.map((text) =>
        execution({ name: text, server: text, principal: text, errorMessage: text, traceId: text }),
      )
      await storage.executions.append(calls)
      for (const call of calls) {
        const { name, server, principal } = call
        expect(await storage.executions.list({ name, server, principal, ...page })).toStrictEqual({
          executions: [call],
          total: 1,
        })
        if (server !== '') expect(await storage.executions.stats({ tool: name })).toMatchObject({ calls: 1 })
      }
    })

    test('the newest call comes first, and the total counts what the page leaves out', async () => {
      await using storage = await freshStorage(engine)
      const calls = Array.from({ length: 7 }, (_, index) =>
        execution({ id: `call-${index}`, startedAt: NOON + (index >> 1) }),
      )
      await storage.executions.append(calls)
      const { executions, total } = await storage.executions.list({ limit: 3, offset: 2 })
      expect(executions.map(({ id }) => id)).toEqual(['call-4', 'call-3', 'call-2'])
      expect(total).toBe(7)
      expect(await storage.executions.list({ limit: 3, offset: 9 })).toEqual({ executions: [], total: 7 })
    })

    test('filters hold together', async () => {
      await using storage = await freshStorage(engine)
      const wanted = execution({ name: 'a', server: 's', principal: 'p', outcome: 'error', startedAt: NOON })
      const others = [
        { name: 'b' },
        { server: 't' },
        { principal: 'q' },
        { outcome: 'success' },
        { startedAt: NOON - 1 },
        { startedAt: NOON + 10 },
      ] as const
      await storage.executions.append([
        wanted,
        ...others.map((other) => execution({ ...wanted, id: crypto.randomUUID(), ...other })),
      ])
      const filter = {
        name: 'a',
        server: 's',
        principal: 'p',
        outcome: 'error',
        from: NOON,
        to: NOON + 10,
        ...page,
      } as const
      expect(await storage.executions.list(filter)).toEqual({ executions: [wanted], total: 1 })
      expect((await storage.executions.list({ outcome: 'error', ...page })).total).toBe(6)
    })

    test('a time range includes its start and excludes its end', async () => {
      await using storage = await freshStorage(engine)
      await storage.executions.append([0, 1, 2].map((ms) => execution({ startedAt: NOON + ms })))
      const { executions } = await storage.executions.list({ from: NOON, to: NOON + 2, ...page })
      expect(executions.map(({ startedAt }) => startedAt - NOON)).toEqual([1, 0])
    })

    test('a batch that is repeated is there once', async () => {
      await using storage = await freshStorage(engine)
      const batch = [execution(), execution()]
      await storage.executions.append(batch)
      await storage.executions.append([...batch, execution()])
      await storage.executions.append([])
      expect((await storage.executions.list(page)).total).toBe(3)
    })

    test('of a batch that fails nothing stays', async () => {
      await using storage = await freshStorage(engine)
      const broken = execution({ durationMs: null as unknown as number })
      await expect(storage.executions.append([execution(), broken])).rejects.toMatchObject({
        code: 'unavailable',
        message: 'The storage does not answer',
      })
      expect((await storage.executions.list(page)).total).toBe(0)
      await storage.executions.append([execution()])
    })

    test('appends, reads and registry writes at once do not disturb each other', async () => {
      await using storage = await freshStorage(engine)
      const batches = Array.from({ length: 20 }, () => Array.from({ length: 50 }, () => execution()))
      const names = batches.map(
        (_, index) => ({ kind: 'tool', upstreamId: 'u', originalName: `${index}`, exposedName: 'x' }) as const,
      )
      await Promise.all([
        ...batches.map((batch) => storage.executions.append(batch)),
        ...names.map((name) => storage.registry.names.put([name])),
        ...batches.map(() => storage.executions.list(page)),
      ])
      expect((await storage.executions.list(page)).total).toBe(1_000)
      expect(await storage.registry.names.list()).toHaveLength(20)
    })

    test('pruning removes what started before, to the millisecond, and says how many', async () => {
      await using storage = await freshStorage(engine)
      const old = Array.from({ length: 4_500 }, (_, index) => execution({ startedAt: NOON - 1 - index }))
      const kept = execution({ startedAt: NOON })
      await storage.executions.append([...old, kept])
      expect(await storage.executions.prune(NOON)).toBe(4_500)
      expect(await storage.executions.prune(NOON)).toBe(0)
      expect(await storage.executions.list(page)).toEqual({ executions: [kept], total: 1 })
    })
  })
}
