import { setImmediate } from 'node:timers/promises'
import { messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import { pause } from '#kernel/pause'
import { createBreath } from './breath.ts'
import type { Embedder } from './embedder.ts'
import { createTrial } from './model-trial.ts'
import { isRefusedContent } from './provider.ts'
import { createTextVectors } from './text-vectors.ts'
import type { VectorStore } from './vectors.ts'
import { blended, type View } from './views.ts'

/** What is computed is kept every so many slots. */
const SLOTS_TOGETHER = 32
/** Doubled from one failure to the next. */
const RETRY_MS_MIN = 2_000
const RETRY_MS_MAX = 30_000
const PROGRESS_LOG_MS = 10_000

export interface NeuralDeps {
  readonly embedder: Embedder
  readonly store: VectorStore
  readonly log: Logger
  /** Epoch milliseconds. */
  now(): number
}

/** What is to be known, and of that what is not known yet. */
export interface Work {
  readonly wanted: Map<number, readonly View[]>
  readonly pending: Set<number>
  keep(slot: number, vector: Float32Array): void
  /** The model has become ready, or is no more: what was answered in the hope of more is no answer any longer. */
  changed(): void
}

/** How far the vectors have come. */
export interface NeuralProgress {
  readonly model: string
  readonly known: number
  readonly wanted: number
  /** Why it stands still, when it does. */
  readonly failure?: string
  /** Who answers as long as it fails. */
  readonly instead?: NeuralProgress
}

/** Computes what is pending in the background. Who fails is tried again, later and later. */
export interface VectorFiller {
  start(): void
  ended(): Promise<void> | undefined
  progress(): NeuralProgress
  /** Whether the model is loaded and answers: nobody waits for that. */
  isWarm(): boolean
  /** Whether it gets on and has not come to its end. */
  isComing(): boolean
  /** How long vectors are; known once it was warm. */
  dimensions(): number
  /** The model has failed a query: it must answer another one in `queryMsMax` before it counts as warm again. */
  doubt(queryMsMax: number): void
}

export function createVectorFiller(deps: NeuralDeps, work: Work, signal: AbortSignal): VectorFiller {
  const { embedder, log } = deps
  const model = createTrial(embedder, work.changed, signal)
  const retry = createRetry(signal)
  const fillSome = createStep(deps, work, signal)
  const tell = createTeller(deps)
  let filling: Promise<void> | undefined
  let failure: string | undefined
  const isBehind = (): boolean => !model.isWarm() || work.pending.size > 0
  const progress = (): NeuralProgress => {
    const facts = { model: embedder.model, known: work.wanted.size - work.pending.size, wanted: work.wanted.size }
    const reason =
      failure ?? (model.isDoubted() ? `${embedder.model} did not answer a query; it is being tried` : undefined)
    return { ...facts, ...(reason === undefined ? {} : { failure: reason }) }
  }
  const failed = (thrown: unknown): void => {
    const reason = messageOf(thrown)
    if (reason === failure) return
    log.warn({ error: reason, pending: work.pending.size }, 'search vectors cannot be computed')
    work.changed()
    failure = reason
  }
  const fill = async (): Promise<void> => {
    while (isBehind() && !signal.aborted) {
      try {
        if (!model.isWarm()) await model.warmUp()
        await fillSome(model.dimensions())
        failure = undefined
        retry.reset()
        tell(progress())
        // Kept vectors come without any waiting.
        await setImmediate()
      } catch (thrown) {
        if (signal.aborted) return
        failed(thrown)
        await retry.pause()
      }
    }
    filling = undefined
  }
  const start = (): void => {
    if (isBehind()) filling ??= fill()
  }
  return {
    start,
    ended: () => filling,
    progress,
    isWarm: model.isWarm,
    isComing: () => isBehind() && failure === undefined && !model.isDoubted(),
    dimensions: model.dimensions,
    doubt(queryMsMax) {
      model.doubt(queryMsMax)
      start()
    },
  }
}

/** Computes some of what is pending. */
function createStep({ embedder, store, now }: NeuralDeps, work: Work, signal: AbortSignal) {
  const vectorsOf = createTextVectors({ embedder, store, now })
  const slotsMax = Math.max(SLOTS_TOGETHER, embedder.batch)
  let slotsTogether = slotsMax
  /** One text that a provider refuses must not keep the others from their vectors: they go first, and fewer at a time. */
  const setBack = (slots: readonly number[]): void => {
    slotsTogether = Math.ceil(slots.length / 2)
    for (const slot of slots) if (work.pending.delete(slot)) work.pending.add(slot)
  }
  return async function fillSome(dimensions: number): Promise<void> {
    const some = [...work.pending].slice(0, slotsTogether)
    const slots = some.map((slot) => ({ slot, views: work.wanted.get(slot) ?? [] }))
    const texts = slots.flatMap(({ views }) => views.map(({ text }) => text))
    const vectors = await vectorsOf(texts, dimensions, signal).catch((thrown: unknown) => {
      if (!isRefusedContent(thrown)) throw thrown
      setBack(some)
      if (some.length === 1) throw thrown
      return undefined
    })
    if (!vectors) return
    slotsTogether = Math.min(slotsMax, slotsTogether * 2)
    await createBreath().map(slots, ({ slot, views }) => {
      // It may have been removed or changed meanwhile.
      if (work.wanted.get(slot) !== views) return
      work.keep(slot, blended(views.map(({ text, weight }) => ({ weight, vector: vectors.get(text) ?? NO_VECTOR }))))
    })
  }
}

function createRetry(signal: AbortSignal) {
  let ms = RETRY_MS_MIN
  return {
    reset(): void {
      ms = RETRY_MS_MIN
    },
    async pause(): Promise<void> {
      const now = ms
      ms = Math.min(RETRY_MS_MAX, ms * 2)
      await pause(now, signal)
    },
  }
}

/** Says in the log how far it is, now and then. */
function createTeller({ log, now }: NeuralDeps) {
  let toldAt = now()
  return ({ model, known, wanted }: NeuralProgress): void => {
    const isDone = known === wanted
    if (!isDone && now() - toldAt < PROGRESS_LOG_MS) return
    toldAt = now()
    log.info({ model, known, wanted }, isDone ? 'search vectors are complete' : 'search vectors are being computed')
  }
}

const NO_VECTOR = new Float32Array()
