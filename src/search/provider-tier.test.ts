import { expect, test } from 'vitest'
import { json, startEmbeddings, type SearchProvider } from '../../test/support/search-provider.ts'
import { freshStorage, storageEngines } from '../../test/support/storage-engines.ts'
import { until } from '../../test/support/until.ts'
import type { Embedder } from './embedder.ts'
import type { NeuralTier } from './neural-tier.ts'
import { createNeuralTier } from './neural-tier.ts'
import { createProviderTier } from './provider-tier.ts'
import { createRemoteEmbedder } from './remote-embedder.ts'
import { scopeOf } from './scope.ts'

const TEXTS = ['read a text file', 'send a mail', 'weather of a city']
const scope = scopeOf(Int32Array.from(TEXTS.keys()), TEXTS.length)
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** An embedded model of one opinion: the third text. */
const EMBEDDED: Embedder = {
  model: 'embedded',
  batch: 1,
  embed: (texts) =>
    Promise.resolve(texts.map((text) => Float32Array.of(Number(text !== TEXTS[2]), Number(text === TEXTS[2])))),
  [Symbol.asyncDispose]: () => Promise.resolve(),
}

interface Stage extends AsyncDisposable {
  readonly tier: NeuralTier
  /** How often the embedded model was loaded, and how often it has ended. */
  readonly embedded: { opened: number; ended: number }
  readonly storage: Awaited<ReturnType<typeof freshStorage>>
}

async function openStage(url: string, kept?: Stage['storage'], texts: readonly string[] = TEXTS): Promise<Stage> {
  const storage = kept ?? (await freshStorage(storageEngines[0]!))
  const embedded = { opened: 0, ended: 0 }
  const deps = { store: storage.search.vectors, log: quiet, now: Date.now }
  const openEmbedded = () => {
    embedded.opened += 1
    const dispose = async (): Promise<void> => void (embedded.ended += 1)
    return createNeuralTier({ ...deps, embedder: { ...EMBEDDED, [Symbol.asyncDispose]: dispose } })
  }
  const remote = createNeuralTier({ ...deps, embedder: createRemoteEmbedder({ url, model: 'm' }) })
  const tier = createProviderTier({ remote, openEmbedded })
  for (const [slot, text] of texts.entries()) tier.put(slot, [{ text, weight: 1 }])
  tier.start()
  return { tier, embedded, storage, [Symbol.asyncDispose]: () => tier[Symbol.asyncDispose]() }
}

const break500 = (provider: SearchProvider): void => {
  provider.broken = (response) => json(response, { message: 'no memory' }, 500)
}
const failureOf = ({ tier }: Stage): string => tier.progress().failure ?? ''
const partOf = async ({ tier }: Stage) => {
  const { part, scores } = await tier.say('a mail', scope)
  return scores && part
}

test('a provider takes the place of the embedded model, is asked for each text once and never again after a restart (R070)', async () => {
  await using provider = await startEmbeddings()
  const first = await openStage(provider.url)
  await until('all are known', () => first.tier.isComplete())
  const { scores, part, isFinal } = await first.tier.say('a mail', scope)
  expect([...scores!].indexOf(Math.max(...scores!))).toBe(1)
  expect({ part, isFinal }).toEqual({ part: 'remote', isFinal: true })
  expect(provider.asked()).toEqual(['tool', ...TEXTS, 'a mail'])
  expect(first.embedded.opened).toBe(0)
  await first[Symbol.asyncDispose]()
  await using second = await openStage(provider.url, first.storage)
  await until('all are known', () => second.tier.isComplete())
  expect(provider.asked().slice(5)).toEqual(['tool'])
  await second[Symbol.asyncDispose]()
  await first.storage[Symbol.asyncDispose]()
})

test('while the provider is down the embedded model answers, and is said to; when it is back, it is used again', async () => {
  await using provider = await startEmbeddings()
  const model = `remote:m@${new URL(provider.url).host}`
  await using stage = await openStage(provider.url)
  await until('all are known', () => stage.tier.isComplete())
  break500(provider)
  const generation = stage.tier.generation()
  expect(await stage.tier.say('a mail', scope)).toMatchObject({ isFinal: false })
  await until('the embedded model answers', async () => (await partOf(stage)) === 'neural')
  expect(await stage.tier.say('a mail', scope)).toMatchObject({ part: 'neural', isFinal: false })
  await until('it is known why', () => stage.tier.progress().failure?.includes('500') ?? false)
  expect(stage.tier.progress()).toEqual({
    model,
    known: 3,
    wanted: 3,
    failure: 'The embeddings provider answered with status 500: {"message":"no memory"}',
    instead: { model: 'embedded', known: 3, wanted: 3 },
  })
  provider.broken = undefined
  await until('the provider is used again', async () => (await partOf(stage)) === 'remote')
  expect(stage.tier.generation()).toBeGreaterThan(generation)
  expect(stage.tier.progress()).toEqual({ model, known: 3, wanted: 3 })
  await until('the embedded model has ended', () => stage.embedded.ended === 1)
  expect(stage.embedded.opened).toBe(1)
})

test('a provider that is down from the start is filled when it comes', async () => {
  await using provider = await startEmbeddings()
  break500(provider)
  await using stage = await openStage(provider.url)
  await until('the embedded model answers', async () => (await partOf(stage)) === 'neural')
  stage.tier.put(3, [{ text: 'play a song', weight: 1 }])
  provider.broken = undefined
  await until('the provider is used', async () => (await partOf(stage)) === 'remote')
  await until('it knows all', () => stage.tier.isComplete())
  expect(stage.tier.progress()).toMatchObject({ known: 4 })
})

test('no query waits longer for a provider than it would for the embedded model; one slow answer loads nothing', async () => {
  await using provider = await startEmbeddings()
  await using stage = await openStage(provider.url)
  await until('all are known', () => stage.tier.isComplete())
  const { broken } = provider
  provider.broken = () => {
    provider.broken = broken
  }
  const since = performance.now()
  expect(await partOf(stage)).toBeUndefined()
  expect(performance.now() - since).toBeLessThan(1000)
  await until('the provider has been tried', () => stage.tier.progress().failure === undefined)
  expect(await partOf(stage)).toBe('remote')
  expect(stage.embedded.opened).toBe(0)
})

test('a provider that always takes longer than a query waits is not asked, and said to be too slow', async () => {
  await using provider = await startEmbeddings()
  await using stage = await openStage(provider.url)
  await until('all are known', () => stage.tier.isComplete())
  provider.broken = (response) => {
    setTimeout(() => json(response, { data: [{ embedding: Array(64).fill(1) }] }), 600)
  }
  await partOf(stage)
  await until('it is known to be slow', () => /takes longer than the 400 ms/.test(failureOf(stage)))
  await until('the embedded model answers', async () => (await partOf(stage)) === 'neural')
})

test('vectors of another length than before are a failure with a reason, and break nothing', async () => {
  await using provider = await startEmbeddings(64)
  await using other = await startEmbeddings(32)
  await using stage = await openStage(provider.url)
  await until('all are known', () => stage.tier.isComplete())
  provider.broken = (response, { body }) => {
    void fetch(`${other.url}/v1/embeddings`, { method: 'POST', body }).then(async (answer) =>
      json(response, await answer.json()),
    )
  }
  stage.tier.put(3, [{ text: 'play a song', weight: 1 }])
  const reason = 'The embedding model gives vectors of 32 numbers, those of before have 64; a restart'
  await until('the change is told', () => failureOf(stage).startsWith(reason))
  expect((await stage.tier.say('a mail', scope)).scores).toBeUndefined()
  await until('the change is told again', () => failureOf(stage).startsWith(reason))
  await until('the embedded model answers', async () => (await partOf(stage)) === 'neural')
  await stage[Symbol.asyncDispose]()
  await using again = await openStage(provider.url, stage.storage)
  await until('the new ones are known', () => again.tier.isComplete())
  expect(other.asked().slice(-3)).toEqual(TEXTS)
  expect(await partOf(again)).toBe('remote')
})

test('one text that the provider refuses does not keep the others from their vectors', async () => {
  await using provider = await startEmbeddings()
  const texts = Array.from({ length: 40 }, (_, slot) => (slot === 7 ? 'poison' : `tool number ${slot}`))
  const refuse: SearchProvider['broken'] = (response, seen) => {
    if (seen.body.includes('poison')) return json(response, { message: 'too long' }, 413)
    provider.broken = undefined
    void fetch(`${provider.url}/v1/embeddings`, { method: 'POST', body: seen.body }).then(async (answer) => {
      provider.broken = refuse
      json(response, await answer.json())
    })
  }
  provider.broken = refuse
  await using stage = await openStage(provider.url, undefined, texts)
  await until('all others are known', () => stage.tier.progress().known === 39)
  await until('the refusal is told', () => failureOf(stage).endsWith('status 413: {"message":"too long"}'))
  const all = scopeOf(Int32Array.from(texts.keys()), texts.length)
  expect((await stage.tier.say('number', all)).scores?.findIndex(Number.isNaN)).toBe(7)
})
