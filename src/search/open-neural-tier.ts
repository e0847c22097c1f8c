import { createNeuralEmbedder } from './neural-embedder.ts'
import { createNeuralTier, type NeuralTier } from './neural-tier.ts'
import { createProviderTier } from './provider-tier.ts'
import { createRemoteEmbedder, type RemoteModel } from './remote-embedder.ts'
import type { NeuralDeps } from './vector-filler.ts'

export interface TierSettings {
  /** Which model is embedded, or none. */
  readonly embedder: 'minilm' | 'static'
  /** A provider's, which goes first. */
  readonly embeddings?: RemoteModel
}

/** The tier of the model that an operator has chosen; undefined for none. */
export function openNeuralTier(settings: TierSettings, deps: Omit<NeuralDeps, 'embedder'>): NeuralTier | undefined {
  const isEmbedded = settings.embedder === 'minilm'
  const openEmbedded = () => createNeuralTier({ ...deps, embedder: createNeuralEmbedder() })
  if (!settings.embeddings) return isEmbedded ? openEmbedded() : undefined
  const remote = createNeuralTier({ ...deps, embedder: createRemoteEmbedder(settings.embeddings) })
  return createProviderTier({ remote, openEmbedded: isEmbedded ? openEmbedded : undefined })
}
