import { messageOf } from '#kernel/errors'
import { clausesOf } from './clauses.ts'
import type { Scope } from './scope.ts'
import type { Scores } from './scores.ts'
import { ofLength } from './text-vectors.ts'
import {
  createVectorFiller,
  type NeuralDeps,
  type NeuralProgress,
  type VectorFiller,
  type Work,
} from './vector-filler.ts'
import { createVectorTable, packed, type VectorTable } from './vector-table.ts'
import type { View } from './views.ts'

/** A scope of which less is known is not ranked by this tier. */
const COVERAGE_MIN = 0.9
/** Of a long query the beginning: each word costs a millisecond. */
const QUERY_CHARS_MAX = 480
/** Of so many steps one vector is near to none: the tiers that look for each step find more without this one. */
const STEPS_MIN = 4
const QUERY_MS_MAX = 400
const QUERIES_MAX = 8

/** What the tier says to a query. */
export interface NeuralSay {
  /** How near the query is to each place; undefined while the tier cannot say, or not in time. */
  readonly scores?: Scores | undefined
  /** Whose vectors these are. */
  readonly part: 'neural' | 'remote'
  /** Whether the same query gets the same answer until `generation` changes. */
  readonly isFinal: boolean
}

/** The tier that needs a model: knows a vector for each slot as soon as one is kept or computed. */
export interface NeuralTier extends AsyncDisposable {
  /** Loads the model and computes what is wanted, in the background; until then it only takes note. */
  start(): void
  put(slot: number, views: readonly View[]): void
  remove(slot: number): void
  say(query: string, scope: Scope): Promise<NeuralSay>
  progress(): NeuralProgress
  /** Whether every slot has its vector. */
  isComplete(): boolean
  /** Another number whenever answers may have become better. */
  generation(): number
}

export function createNeuralTier(deps: NeuralDeps): NeuralTier {
  const { embedder } = deps
  const part = embedder.isRemote ? 'remote' : 'neural'
  const stop = new AbortController()
  const work: Work = { wanted: new Map(), pending: new Set(), keep, changed: () => void (generation += 1) }
  let isStarted = false
  const filler = createVectorFiller(deps, work, stop.signal)
  const vectorOf = createQueryEmbedder(deps, filler)
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
    async say(query, scope) {
      if (clausesOf(query).length >= STEPS_MIN) return { part, isFinal: true }
      const canSay = filler.isWarm() && table?.covers(scope, COVERAGE_MIN)
      const vector = canSay ? await vectorOf(query) : undefined
      const scores = vector && table?.dots(vector, scope)
      return { scores, part, isFinal: scores !== undefined || filler.isComing() }
    },
    progress: filler.progress,
    isComplete: () => filler.isWarm() && work.pending.size === 0,
    generation: () => generation,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await embedder[Symbol.asyncDispose]()
      await filler.ended()
    },
  }
}

/** The vector of a query, if it comes in time and not too many others wait. */
function createQueryEmbedder({ embedder, log }: NeuralDeps, filler: VectorFiller) {
  let asking = 0
  return async function vectorOf(query: string): Promise<Float32Array | undefined> {
    if (asking >= QUERIES_MAX) return undefined
    asking += 1
    try {
      const patience = AbortSignal.timeout(QUERY_MS_MAX)
      const [vector] = await embedder.embed([query.slice(0, QUERY_CHARS_MAX)], patience)
      return ofLength(vector, filler.dimensions())
    } catch (thrown) {
      log.debug({ error: messageOf(thrown) }, 'query was searched without the model')
      if (embedder.isRemote) filler.doubt(QUERY_MS_MAX)
      return undefined
    } finally {
      asking -= 1
    }
  }
}
