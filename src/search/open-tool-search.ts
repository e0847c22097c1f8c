import { join } from 'node:path'
import type { Principal } from '#identity/principal'
import type { Logger } from '#kernel/logger'
import type { Catalog } from '#registry/registry-api'
import type { KeptIndex } from './index-file.ts'
import { createIndexKeeper } from './index-keeper.ts'
import { openLessons, type Lessons, type LessonStore } from './lessons.ts'
import type { NeuralTier } from './neural-tier.ts'
import { openNeuralTier, type TierSettings } from './open-neural-tier.ts'
import type { ProviderSettings } from './provider.ts'
import { recordedSearch, type RecordedSearch } from './recorded-search.ts'
import { createReranker } from './reranker.ts'
import { createSearchHistory } from './search-history.ts'
import { createSearchMeter, type SearchMeter } from './search-meter.ts'
import { createSearchTrail } from './search-trail.ts'
import type { SearchStore } from './searches.ts'
import { loadStaticEmbedder, type StaticEmbedder } from './static-embedder.ts'
import type { FindRules } from './tool-scopes.ts'
import { createToolSearch, type ToolAnswer, type ToolQuery, type ToolSearch } from './tool-search.ts'
import type { NeuralProgress } from './vector-filler.ts'
import type { VectorStore } from './vectors.ts'

/** The table that the package brings: the same place seen from `src/` and from `dist/`. */
const STATIC_EMBEDDINGS = join(import.meta.dirname, '../../assets/static-embeddings')

/** Vectors of tools that nobody has any more are kept so long. */
const UNWANTED_MS_MAX = 90 * 86_400_000

/** What the search keeps over restarts. */
export interface SearchStores {
  readonly searches: SearchStore
  readonly vectors: VectorStore
  readonly lessons: LessonStore
}

interface SearchSettings extends TierSettings {
  readonly learning: boolean
  readonly rerank?: ProviderSettings
  /** Where the index is kept over restarts, if it is. */
  readonly indexFile?: string
}

export interface OpenSearchDeps {
  readonly catalog: Catalog
  readonly views: FindRules
  readonly stores: SearchStores
  readonly log: Logger
  readonly settings: SearchSettings
  /** Epoch milliseconds. */
  now(): number
}

/** What of a call is worth learning from. */
interface SuccessfulCall {
  readonly principal: Principal
  readonly namespace: string | undefined
  /** Exposed name. */
  readonly name: string
}

/** The search as the surfaces and the operator see it. */
export interface OpenSearch extends RecordedSearch, AsyncDisposable {
  readonly history: Pick<SearchStore, 'list' | 'stats' | 'missed'>
  /** Tells that a call of a tool has not failed: it teaches the search that led to it. */
  called(call: SuccessfulCall): void
  /** Called when the gateway listens: from now on many tools are read before anybody asks for one. */
  readAhead(): void
  readonly lessons: Lessons
  readonly learning: boolean
  /** How far the neural tier is; undefined without one, or while nobody has searched. */
  progress(): NeuralProgress | undefined
  /** What became of the searches since the start. */
  searches: SearchMeter['report']
  /** Why the last search was not reranked, where it should have been. */
  rerankFailure(): string | undefined
}

interface Opened {
  readonly tools: ToolSearch
  readonly neural: NeuralTier | undefined
  readonly embedder: StaticEmbedder
}

/** So many tools take longer to read than the first searcher would like to wait. */
const READ_AHEAD_FROM = 1000

/**
 * The search over a catalog. It reads its tables and the catalog at the first query, or ahead where there are many tools; it
 * loads the model at the first query: who never searches pays little.
 */
export async function openToolSearch(deps: OpenSearchDeps): Promise<OpenSearch> {
  const { catalog, views, stores, log, settings, now } = deps
  await stores.vectors.prune(now() - UNWANTED_MS_MAX)
  const lessons = await openLessons({ store: stores.lessons, log, now })
  const trail = createSearchTrail(lessons, now)
  const keeper = settings.indexFile === undefined ? undefined : createIndexKeeper(settings.indexFile, log)
  const reranker = settings.rerank && createReranker({ settings: settings.rerank, log, now })
  /** What was kept is a parameter: a closure would hold it for good. */
  const open = async (kept?: KeptIndex): Promise<Opened> => {
    const embedder = await loadStaticEmbedder(STATIC_EMBEDDINGS)
    const neural = openNeuralTier(settings, { store: stores.vectors, log, now })
    const indexed = (): void => (isLarge(catalog) ? keeper?.keep(() => tools.written()) : undefined)
    const tools = createToolSearch({ catalog, views, embedder, lessons, neural, reranker, kept, indexed })
    return (opened = { neural, tools, embedder })
  }
  const watching = new DisposableStack()
  let opened: Opened | undefined
  let opening: Promise<Opened> | undefined
  const ready = (): Promise<Opened> => (opening ??= open())
  if (isLarge(catalog)) {
    const kept = await keeper?.read()
    await (opening = open(kept))
    // It has been copied; the collector would come for it when there is much more.
    kept?.index.vectors.rows.buffer.transfer(0)
  }
  const history = createSearchHistory({ store: stores.searches, log })
  const meter = createSearchMeter()
  const search = meter.measured(async (query: ToolQuery): Promise<ToolAnswer> => {
    const { tools, neural } = await ready()
    neural?.start()
    const answer = await tools.search(query)
    const ids = answer.found.map(({ tool }) => tool.id)
    if (settings.learning) trail.searched(query.principal.id, query.text, ids)
    return answer
  })
  return {
    ...recordedSearch({ search, history, now }),
    readAhead() {
      watching.defer(whenLarge(catalog, () => void ready().then(({ tools }) => tools.readAhead())))
    },
    history: stores.searches,
    called({ principal, namespace, name }) {
      if (!trail.knows(principal.id)) return
      const tool = catalog.view(namespace)?.toolByName.get(name)
      if (tool) trail.called(principal.id, tool.id)
    },
    lessons,
    learning: settings.learning,
    searches: meter.report,
    progress: () => opened?.neural?.progress(),
    rerankFailure: () => reranker?.failure(),
    async [Symbol.asyncDispose]() {
      watching.dispose()
      // Who asked for it was told if it failed.
      await Promise.allSettled([opening])
      await keeper?.[Symbol.asyncDispose]()
      opened?.tools[Symbol.dispose]()
      await opened?.neural?.[Symbol.asyncDispose]()
      opened?.embedder[Symbol.dispose]()
      await history[Symbol.asyncDispose]()
    },
  }
}

function isLarge(catalog: Catalog): boolean {
  return catalog.allTools().length >= READ_AHEAD_FROM
}

/** Calls `then` once, now or when the catalog has grown; gives what ends the waiting. */
function whenLarge(catalog: Catalog, then: () => void): () => void {
  if (isLarge(catalog)) {
    then()
    return () => undefined
  }
  const stop = catalog.onChange(() => {
    if (!isLarge(catalog)) return
    stop()
    then()
  })
  return stop
}
