import { messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import { createBreath } from './breath.ts'
import type { Embedder } from './embedder.ts'
import type { Scope } from './scope.ts'
import type { Scores } from './scores.ts'
import { createTextVectors } from './text-vectors.ts'
import { createVectorTable, packed, type VectorTable } from './vector-table.ts'
import type { VectorStore } from './vectors.ts'
import { blended, type View } from './views.ts'

/** What is computed is kept every so many slots. */
const SLOTS_TOGETHER = 32
/** A scope of which less is known is not ranked by this tier. */
const COVERAGE_MIN = 0.9
/** Of a long query the beginning: each word costs a millisecond. */
const QUERY_CHARS_MAX = 640
const QUERY_MS_MAX = 400
const QUERIES_MAX = 8
const RETRY_MS = 30_000
const WARM_UP = 'tool'
const PROGRESS_LOG_MS = 10_000

/** How far the vectors have come. */
export interface NeuralProgress {
  readonly model: string
  readonly known: number
  readonly wanted: number
  /** Why it stands still, when it does. */
  readonly failure?: string
}

/** The tier that needs a model: knows a vector for each slot as soon as one is kept or computed. */
export interface NeuralTier extends AsyncDisposable {
  /** Loads the model and computes what is wanted, in the background; until then it only takes note. */
  start(): void
  put(slot: number, views: readonly View[]): void
  remove(slot: number): void
  /** How near the query is to each place; undefined while this tier cannot say, or not in time. */
  scores(query: string, scope: Scope): Promise<Scores | undefined>
  progress(): NeuralProgress
  /** Whether every slot has its vector. */
  isComplete(): boolean
  /** Another number whenever answers may have become better. */
  generation(): number
}

export interface NeuralDeps {
  readonly embedder: Embedder
  readonly store: VectorStore
  readonly log: Logger
  /** Epoch milliseconds. */
  now(): number
}

export function createNeuralTier(deps: NeuralDeps): NeuralTier {
  const { embedder, log } = deps
  const stop = new AbortController()
  const work: Work = { wanted: new Map(), pending: new Set(), keep }
  let isStarted = false
  const filler = createFiller(deps, work, stop.signal)
  const vectorOf = createQueryEmbedder(embedder, log)
  let table: VectorTable | undefined
  let generation = 0

  function keep(slot: number, vector: Float32Array): void {
    table ??= createVectorTable(vector.length)
    table.set(slot, packed(vector))
    work.pending.delete(slot)
    generation += 1
  }
  return {
    start() {
      isStarted = true
      filler.start()
    },
    put(slot, views) {
      work.wanted.set(slot, views)
      work.pending.add(slot)
      if (isStarted) filler.start()
    },
    remove(slot) {
      work.wanted.delete(slot)
      work.pending.delete(slot)
      table?.delete(slot)
    },
    async scores(query, scope) {
      if (!filler.isWarm() || !table?.covers(scope, COVERAGE_MIN)) return undefined
      const vector = await vectorOf(query)
      return vector && table.dots(vector, scope)
    },
    progress: () => progressOf(embedder, work, filler.failure()),
    isComplete: () => filler.isWarm() && work.pending.size === 0,
    generation: () => generation + Number(filler.isWarm()),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await embedder[Symbol.asyncDispose]()
      await filler.ended()
    },
  }
}

/** What is to be known, and of that what is not known yet. */
interface Work {
  readonly wanted: Map<number, readonly View[]>
  readonly pending: Set<number>
  keep(slot: number, vector: Float32Array): void
}

function progressOf({ model }: Embedder, { wanted, pending }: Work, failure: string | undefined): NeuralProgress {
  const known = wanted.size - pending.size
  return { model, known, wanted: wanted.size, ...(failure === undefined ? {} : { failure }) }
}

/** The vector of a query, if it comes in time and not too many others wait. */
function createQueryEmbedder(embedder: Embedder, log: Logger) {
  let asking = 0
  return async function vectorOf(query: string): Promise<Float32Array | undefined> {
    if (asking >= QUERIES_MAX) return undefined
    asking += 1
    try {
      const patience = AbortSignal.timeout(QUERY_MS_MAX)
      const [vector] = await embedder.embed([query.slice(0, QUERY_CHARS_MAX)], patience)
      return vector
    } catch (thrown) {
      log.debug({ error: messageOf(thrown) }, 'query was searched without the model')
      return undefined
    } finally {
      asking -= 1
    }
  }
}

/** Computes what is pending, some slots at a time, and says in the log how far it is. */
function createFiller({ embedder, store, log, now }: NeuralDeps, work: Work, signal: AbortSignal) {
  const vectorsOf = createTextVectors({ embedder, store, now })
  let filling: Promise<void> | undefined
  let failure: string | undefined
  let isWarm = false
  let toldAt = now()
  const tell = (): void => {
    const isDone = work.pending.size === 0
    if (!isDone && now() - toldAt < PROGRESS_LOG_MS) return
    toldAt = now()
    const { model, known, wanted } = progressOf(embedder, work, undefined)
    log.info({ model, known, wanted }, isDone ? 'search vectors are complete' : 'search vectors are being computed')
  }
  const fillSome = async (): Promise<void> => {
    const some = [...work.pending].slice(0, SLOTS_TOGETHER)
    const slots = some.map((slot) => ({ slot, views: work.wanted.get(slot) ?? [] }))
    const texts = slots.flatMap(({ views }) => views.map(({ text }) => text))
    const vectors = await vectorsOf(texts, signal)
    await createBreath().map(slots, ({ slot, views }) => {
      // It may have been removed or changed meanwhile.
      if (work.wanted.get(slot) !== views) return
      work.keep(slot, blended(views.map(({ text, weight }) => ({ weight, vector: vectors.get(text) ?? NO_VECTOR }))))
    })
  }
  const warmUp = async (): Promise<void> => {
    await embedder.embed([WARM_UP], signal)
    isWarm = true
  }
  const isBehind = (): boolean => !isWarm || work.pending.size > 0
  const fill = async (): Promise<void> => {
    while (isBehind() && !signal.aborted) {
      try {
        if (!isWarm) await warmUp()
        await fillSome()
        failure = undefined
        tell()
      } catch (thrown) {
        if (signal.aborted) return
        failure = messageOf(thrown)
        log.warn({ error: failure, pending: work.pending.size }, 'search vectors cannot be computed')
        await pause(RETRY_MS, signal)
      }
    }
    filling = undefined
  }
  return {
    start(): void {
      if (isBehind()) filling ??= fill()
    },
    ended: () => filling,
    failure: () => failure,
    /** Whether the model is loaded: nobody waits for that. */
    isWarm: () => isWarm,
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms).unref()
    signal.addEventListener('abort', end)
  })
}

const NO_VECTOR = new Float32Array()
