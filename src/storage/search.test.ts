import { describe, expect, test } from 'vitest'
import { freshStorage, storageEngines } from '../../test/support/storage-engines.ts'
import { NAUGHTY_STRINGS } from '../../test/support/storage-samples.ts'

const NOON = 1_800_000_000_000
const DAY_MS = 86_400_000
const vector = (hash: string, ...bytes: number[]) => ({ hash, scale: 0.25, bytes: Int8Array.from(bytes) })

for (const engine of storageEngines) {
  describe.skipIf(!engine.available)(`what search keeps on ${engine.name}`, () => {
    test('a vector comes back to the byte, for its model alone', async () => {
      await using storage = await freshStorage(engine)
      const { vectors } = storage.search
      const kept = [vector('a', 127, -127, 0, 1), vector('b', -128)]
      await vectors.put('m', kept, NOON)
      const found = await vectors.find('m', ['a', 'b', 'c'], NOON)
      expect(found.toSorted((x, y) => x.hash.localeCompare(y.hash))).toEqual(kept)
      expect(await vectors.find('other', ['a'], NOON)).toEqual([])
      expect(await vectors.find('m', [], NOON)).toEqual([])
    })

    test('two processes may keep the same vector', async () => {
      await using storage = await freshStorage(engine)
      const { vectors } = storage.search
      await Promise.all([vectors.put('m', [vector('a', 1)], NOON), vectors.put('m', [vector('a', 1)], NOON)])
      expect(await vectors.find('m', ['a'], NOON)).toEqual([vector('a', 1)])
    })

    test('only what nobody has wanted for long is pruned', async () => {
      await using storage = await freshStorage(engine)
      const { vectors } = storage.search
      await vectors.put('m', [vector('used', 1), vector('unused', 2)], NOON)
      await vectors.find('m', ['used'], NOON + 2 * DAY_MS)
      expect(await vectors.prune(NOON + DAY_MS)).toBe(1)
      expect(await vectors.find('m', ['used', 'unused'], NOON)).toEqual([vector('used', 1)])
    })

    test('lessons come back newest first, whatever their words are, and go one by one', async () => {
      await using storage = await freshStorage(engine)
      const { lessons } = storage.search
      const taught = NAUGHTY_STRINGS.map((text, index) => {
        return { id: `l${index}`, toolId: text, principal: text, text, learnedAt: NOON - index }
      })
      for (const lesson of taught) await lessons.put(lesson)
      expect(await lessons.list()).toEqual(taught)
      await lessons.put({ ...taught[0]!, learnedAt: NOON + 1 })
      expect((await lessons.list())[0]).toEqual({ ...taught[0], learnedAt: NOON + 1 })
      await lessons.delete(taught.slice(1).map(({ id }) => id))
      expect(await lessons.list()).toHaveLength(1)
    })
  })
}
