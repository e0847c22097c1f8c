import { afterEach, expect, test, vi } from 'vitest'
import { freshStorage, storageEngines } from '../../test/support/storage-engines.ts'
import { until } from '../../test/support/until.ts'
import type { Embedder } from './embedder.ts'
import { createNeuralEmbedder } from './neural-embedder.ts'
import { createNeuralTier } from './neural-tier.ts'
import { scopeOf } from './scope.ts'

const TEXTS = ['read a text file from the disk', 'send an e-mail to somebody', 'temperature and rain of a city']
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

afterEach(() => void vi.useRealTimers())

/** Notes what reaches the model. */
function watched(embedder: Embedder) {
  const asked: string[] = []
  const embed: Embedder['embed'] = (texts, signal) => {
    asked.push(...texts)
    return embedder.embed(texts, signal)
  }
  const dispose = () => embedder[Symbol.asyncDispose]()
  return { asked, embedder: { model: embedder.model, batch: embedder.batch, embed, [Symbol.asyncDispose]: dispose } }
}

async function openTier(embedder: Embedder, storage?: Awaited<ReturnType<typeof freshStorage>>) {
  const kept = storage ?? (await freshStorage(storageEngines[0]!))
  const tier = createNeuralTier({ embedder, store: kept.search.vectors, log: quiet, now: Date.now })
  const scope = scopeOf(Int32Array.from(TEXTS.keys()), TEXTS.length)
  tier.start()
  for (const [slot, text] of TEXTS.entries()) tier.put(slot, [{ text, weight: 1 }])
  return { tier, scope, storage: kept }
}

test('R070 the model finds what no word says, computes each text once and never again after a restart', async () => {
  const first = watched(createNeuralEmbedder())
  const { tier, scope, storage } = await openTier(first.embedder)
  expect((await tier.say('umbrella', scope)).scores).toBeUndefined()
  await until('all are known', () => tier.isComplete())
  expect(tier.progress()).toEqual({ model: 'all-MiniLM-L6-v2/fp16', known: 3, wanted: 3 })
  const [file = 0, mail = 0, weather = 0] = (await tier.say('do I need an umbrella', scope)).scores ?? []
  expect(weather).toBeGreaterThan(Math.max(file, mail))
  expect(first.asked).toEqual(['tool', ...TEXTS, 'do I need an umbrella'])
  await tier[Symbol.asyncDispose]()

  const second = watched(createNeuralEmbedder())
  const again = await openTier(second.embedder, storage)
  await until('all are known', () => again.tier.isComplete())
  expect(second.asked).toEqual(['tool'])
  expect((await again.tier.say('do I need an umbrella', scope)).scores?.[2]).toBeCloseTo(weather, 2)
  await again.tier[Symbol.asyncDispose]()
  await storage[Symbol.asyncDispose]()
})

test('a model that fails leaves the search without it, says why, and is tried again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  let isBroken = true
  const flaky: Embedder = {
    model: 'm',
    batch: 1,
    embed: (texts) => (isBroken ? Promise.reject(new Error('no memory')) : Promise.resolve(texts.map(() => ONE))),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const { tier, scope, storage } = await openTier(flaky)
  await vi.waitFor(() => expect(tier.progress()).toMatchObject({ known: 0, wanted: 3, failure: 'no memory' }))
  expect((await tier.say('mail', scope)).scores).toBeUndefined()
  isBroken = false
  await vi.runAllTimersAsync()
  await vi.waitFor(() => expect(tier.isComplete()).toBe(true))
  isBroken = true
  expect((await tier.say('mail', scope)).scores).toBeUndefined()
  await tier[Symbol.asyncDispose]()
  await storage[Symbol.asyncDispose]()
})

const ONE = Float32Array.of(1, 0)

test('a scope of which too little is known is not ranked; one slot in twenty may be missing', async () => {
  const embedder: Embedder = {
    model: 'm',
    batch: 64,
    embed: (texts) => Promise.resolve(texts.map(() => ONE)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const storage = await freshStorage(storageEngines[0]!)
  const tier = createNeuralTier({ embedder, store: storage.search.vectors, log: quiet, now: Date.now })
  tier.start()
  for (let slot = 0; slot < 19; slot += 1) tier.put(slot, [{ text: `tool ${slot}`, weight: 1 }])
  await until('all are known', () => tier.isComplete())
  const of = async (count: number) => {
    const slots = Int32Array.from({ length: count }, (_, slot) => slot)
    return (await tier.say('x', scopeOf(slots, count))).scores
  }
  expect((await of(20))?.[19]).toBeNaN()
  expect(await of(22)).toBeUndefined()
  tier.remove(0)
  expect((await of(19))?.[0]).toBeNaN()
  await tier[Symbol.asyncDispose]()
  await storage[Symbol.asyncDispose]()
})

test('a task of many steps is left to the tiers that look for each step', async () => {
  const embedder: Embedder = {
    model: 'm',
    batch: 64,
    embed: (texts) => Promise.resolve(texts.map(() => ONE)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const { asked, embedder: watching } = watched(embedder)
  const { tier, scope, storage } = await openTier(watching)
  await until('all are known', () => tier.isComplete())
  asked.length = 0
  const three = 'read the file, find the address, send a mail'
  expect((await tier.say(three, scope)).scores).toBeDefined()
  expect(await tier.say(`${three}, then check the weather`, scope)).toEqual({ part: 'neural', isFinal: true })
  expect(asked).toEqual([three])
  await tier[Symbol.asyncDispose]()
  await storage[Symbol.asyncDispose]()
})

test('nothing is computed for a query that nobody waits for any more', async () => {
  await using embedder = createNeuralEmbedder()
  const gone = AbortSignal.abort(new Error('gone'))
  await expect(embedder.embed(['a'], gone)).rejects.toThrow('gone')
  const first = embedder.embed(['first'])
  const leaving = new AbortController()
  const second = embedder.embed(['second'], leaving.signal)
  leaving.abort(new Error('left'))
  await expect(second).rejects.toThrow('left')
  expect((await first)[0]).toHaveLength(384)
})
