import type { NeuralTier } from './neural-tier.ts'
import type { View } from './views.ts'

export interface ProviderTierDeps {
  readonly remote: NeuralTier
  /** The model that needs nobody; undefined where an operator wants none. */
  readonly openEmbedded: (() => NeuralTier) | undefined
}

/** One query that was too slow is no reason to load a model. */
const MISSES_MAX = 1

/**
 * The tier of a provider that may be down. When queries find it failing, the embedded model is loaded, which takes memory
 * and time, and asked instead; it ends when the provider knows everything again. `progress` is the provider's.
 */
export function createProviderTier({ remote, openEmbedded }: ProviderTierDeps): NeuralTier {
  const wanted = new Map<number, readonly View[]>()
  let embedded: NeuralTier | undefined
  let closing: Promise<void> | undefined
  let misses = 0
  const open = (): NeuralTier | undefined => {
    const opened = openEmbedded?.()
    for (const [slot, views] of wanted) opened?.put(slot, views)
    opened?.start()
    return opened
  }
  const close = (): Promise<void> | undefined => {
    const ending = embedded
    embedded = undefined
    if (ending) closing = Promise.all([closing, ending[Symbol.asyncDispose]()]).then(() => undefined)
    return closing
  }
  return {
    start: remote.start,
    put(slot, views) {
      wanted.set(slot, views)
      remote.put(slot, views)
      embedded?.put(slot, views)
    },
    remove(slot) {
      wanted.delete(slot)
      remote.remove(slot)
      embedded?.remove(slot)
    },
    async say(query, scope) {
      const said = await remote.say(query, scope)
      if (said.scores) {
        misses = 0
        if (remote.isComplete()) void close()
        return said
      }
      misses += 1
      if (misses > MISSES_MAX && remote.progress().failure !== undefined) embedded ??= open()
      if (!embedded) return said
      // Never kept: the provider may be back at the next query.
      return { ...(await embedded.say(query, scope)), isFinal: false }
    },
    progress() {
      const progress = remote.progress()
      const instead = progress.failure === undefined ? undefined : embedded?.progress()
      return instead ? { ...progress, instead } : progress
    },
    isComplete: remote.isComplete,
    generation: remote.generation,
    async [Symbol.asyncDispose]() {
      await Promise.all([remote[Symbol.asyncDispose](), close()])
    },
  }
}
