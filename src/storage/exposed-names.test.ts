import { describe, expect, test } from 'vitest'
import type { ExposedName } from '#registry/stores'
import { freshStorage, storageEngines } from '../../test/support/storage-engines.ts'
import { NAUGHTY_STRINGS } from '../../test/support/storage-samples.ts'

const named = (upstreamId: string, originalName: string, exposedName: string): ExposedName => ({
  kind: 'tool',
  upstreamId,
  originalName,
  exposedName,
})
const byOriginal = (one: ExposedName, other: ExposedName) => (one.originalName < other.originalName ? -1 : 1)

for (const engine of storageEngines) {
  describe.skipIf(!engine.available)(`exposed names on ${engine.name}`, () => {
    test('every original name is a row of its own', async () => {
      await using storage = await freshStorage(engine)
      const names = NAUGHTY_STRINGS.map((text, index) => named('u1', text, `files__${index}`))
      await storage.registry.names.put(names)
      const stored = await storage.registry.names.list()
      expect(stored.sort(byOriginal)).toEqual(names.toSorted(byOriginal))
    })

    test('a tool and a prompt of one name do not meet', async () => {
      await using storage = await freshStorage(engine)
      const tool = named('u1', 'review', 'a__review')
      const prompt: ExposedName = { ...tool, kind: 'prompt', exposedName: 'b__review' }
      await storage.registry.names.put([tool, prompt])
      expect(await storage.registry.names.list()).toEqual(expect.arrayContaining([tool, prompt]))
    })

    test('two tools can exchange their exposed names', async () => {
      await using storage = await freshStorage(engine)
      await storage.registry.names.put([named('u1', 'a', 'x'), named('u1', 'b', 'y')])
      await storage.registry.names.put([named('u1', 'a', 'y'), named('u1', 'b', 'x')])
      expect(await storage.registry.names.list()).toEqual([named('u1', 'a', 'y'), named('u1', 'b', 'x')])
    })

    test('of one name twice in a batch the last holds', async () => {
      await using storage = await freshStorage(engine)
      await storage.registry.names.put([named('u1', 'a', 'first'), named('u1', 'a', 'last')])
      await storage.registry.names.put([])
      expect(await storage.registry.names.list()).toEqual([named('u1', 'a', 'last')])
    })

    test('many batches of thousands at once neither block each other nor lose a name', async () => {
      await using storage = await freshStorage(engine)
      const names = Array.from({ length: 2_500 }, (_, index) => named('u1', `tool_${index}`, `x__${index}`))
      const batches = [names, names.toReversed(), names, names.toReversed()]
      await Promise.all(batches.map((batch) => storage.registry.names.put(batch)))
      expect(await storage.registry.names.list()).toHaveLength(2_500)
    })

    test('a removed upstream takes its names and no others', async () => {
      await using storage = await freshStorage(engine)
      await storage.registry.names.put([named('u1', 'a', 'x'), named('u2', 'a', 'y')])
      await storage.registry.names.deleteUpstream('u1')
      expect(await storage.registry.names.list()).toEqual([named('u2', 'a', 'y')])
    })
  })
}
