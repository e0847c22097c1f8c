import { describe, expect, test } from 'vitest'
import { freshStorage, storageEngines } from '../../test/support/storage-engines.ts'
import { NAUGHTY_STRINGS, upstreamSnapshot } from '../../test/support/storage-samples.ts'

for (const engine of storageEngines) {
  describe.skipIf(!engine.available)(`snapshots on ${engine.name}`, () => {
    test('the texts of a snapshot stay to the letter', async () => {
      await using storage = await freshStorage(engine)
      const tools = NAUGHTY_STRINGS.map((key) => ({ key, text: `{ "name" : ${JSON.stringify(key)}, "n": 1.10 }` }))
      const snapshot = upstreamSnapshot({
        tools,
        serverInfoText: '{"name":"x","v":1e2}',
        ttlMs: 5,
        instructions: 'a\0b',
      })
      await storage.registry.snapshots.put(snapshot)
      expect(await storage.registry.snapshots.list()).toStrictEqual([snapshot])
    })

    test('a newer snapshot takes the place of the older', async () => {
      await using storage = await freshStorage(engine)
      const older = upstreamSnapshot({ instructions: 'older' })
      const { instructions: _, ...newer } = { ...older, fetchedAt: older.fetchedAt + 1 }
      await storage.registry.snapshots.put(older)
      await storage.registry.snapshots.put(newer)
      expect(await storage.registry.snapshots.list()).toStrictEqual([newer])
    })

    test('a snapshot of several megabytes is kept whole', async () => {
      await using storage = await freshStorage(engine)
      const text = JSON.stringify({ name: 'tool', description: 'ü'.repeat(1_000) })
      const tools = Array.from({ length: 3_000 }, (_, index) => ({ key: `tool_${index}`, text }))
      const snapshot = upstreamSnapshot({ tools })
      await storage.registry.snapshots.put(snapshot)
      expect(await storage.registry.snapshots.list()).toEqual([snapshot])
    })

    test.each([7, 8, 17])('%i snapshots are listed, each once and in the order of their upstreams', async (count) => {
      await using storage = await freshStorage(engine)
      const snapshots = Array.from({ length: count }, (_, index) =>
        upstreamSnapshot({ upstreamId: `${index % 5} ${index}` }),
      )
      for (const snapshot of snapshots) await storage.registry.snapshots.put(snapshot)
      const inOrder = snapshots.toSorted((a, b) => (a.upstreamId < b.upstreamId ? -1 : 1))
      expect(await storage.registry.snapshots.list()).toEqual(inOrder)
    })

    test('a delete takes one snapshot and leaves the others', async () => {
      await using storage = await freshStorage(engine)
      const [gone, kept] = [upstreamSnapshot(), upstreamSnapshot()]
      await storage.registry.snapshots.put(gone)
      await storage.registry.snapshots.put(kept)
      await storage.registry.snapshots.delete(gone.upstreamId)
      await storage.registry.snapshots.delete(gone.upstreamId)
      expect(await storage.registry.snapshots.list()).toEqual([kept])
    })
  })
}
