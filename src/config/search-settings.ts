import type { ProviderConfig, SearchConfig } from './config.ts'
import type { Need } from './needs.ts'
import type { SettingValues } from './settings.ts'

export function searchConfig(values: SettingValues): SearchConfig {
  const { search_embeddings_model: model } = values
  const embeddings = providerOf(values.search_embeddings_url, model, values.search_embeddings_key)
  const rerank = providerOf(values.search_rerank_url, values.search_rerank_model, values.search_rerank_key)
  return {
    embedder: values.search_embedder,
    learning: values.search_learning,
    ...(embeddings && model !== undefined ? { embeddings: { ...embeddings, model } } : {}),
    ...(rerank ? { rerank } : {}),
  }
}

function providerOf(
  url: string | undefined,
  model: string | undefined,
  key: ProviderConfig['key'],
): ProviderConfig | undefined {
  if (url === undefined) return undefined
  return { url, ...(model === undefined ? {} : { model }), ...(key === undefined ? {} : { key }) }
}

export const PROVIDER_NEEDS: readonly Need[] = [
  ['search_embeddings_url', 'search_embeddings_model'],
  ['search_embeddings_model', 'search_embeddings_url'],
  ['search_embeddings_key', 'search_embeddings_url'],
  ['search_rerank_model', 'search_rerank_url'],
  ['search_rerank_key', 'search_rerank_url'],
]
