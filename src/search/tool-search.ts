import type { Principal } from '#identity/principal'
import { createRecentMap } from '#kernel/recent-map'
import type { CatalogTool, CatalogView } from '#registry/catalog-view'
import type { Catalog } from '#registry/registry-api'
import { ASCII, wordsOf } from './analyser.ts'
import { createBreath, type Breath } from './breath.ts'
import type { DocumentSink } from './catalog-entries.ts'
import { createCatalogIndex, type CatalogIndex } from './catalog-index.ts'
import type { KeptIndex } from './index-file.ts'
import type { Lessons } from './lessons.ts'
import type { NeuralTier } from './neural-tier.ts'
import type { SearchMode } from './fusion.ts'
import type { Reranker } from './reranker.ts'
import { reranked } from './reranking.ts'
import { createSearchIndex, type Hit, type Ranking, type SearchIndex } from './search-index.ts'
import type { StaticEmbedder } from './static-embedder.ts'
import { createScopes, type FindRules, type ToolFilter, type ToolScope } from './tool-scopes.ts'
import { viewsOf } from './views.ts'

export interface ToolQuery {
  readonly text: string
  readonly mode: SearchMode
  /** Who asks: what he may not find is neither scored nor counted. */
  readonly principal: Principal
  readonly surface: 'mcp' | 'rest'
  /** Undefined for all tools. */
  readonly namespace?: string | undefined
  readonly filter?: ToolFilter
  readonly limit: number
  /** Share of the best score below which nothing is shown; 0 to 1. */
  readonly threshold: number
}

export interface FoundTool extends Omit<Hit, 'place'> {
  readonly tool: CatalogTool
}

export interface ToolAnswer extends Omit<Ranking, 'hits' | 'nearest'> {
  /** The best first. An exact name is the best there is. */
  readonly found: readonly FoundTool[]
  /** The servers that are nearest to a query that no tool fits. */
  readonly nearest: readonly string[]
  readonly cached: boolean
}

/** Finds the tools of a catalog that fit a task. */
export interface ToolSearch extends Disposable {
  search(query: ToolQuery): Promise<ToolAnswer>
  /** Reads the catalog before anybody asks. */
  readAhead(): Promise<void>
  /** What need not be indexed again by a later run; undefined when it has changed meanwhile. */
  written(): Promise<KeptIndex | undefined>
}

export interface ToolSearchDeps {
  readonly catalog: Catalog
  readonly views: FindRules
  readonly embedder: StaticEmbedder
  readonly lessons: Lessons
  readonly neural?: NeuralTier | undefined
  readonly reranker?: Reranker | undefined
  /** What an earlier run has indexed. */
  readonly kept?: KeptIndex | undefined
  /** Called when something else was indexed. */
  readonly indexed?: (() => void) | undefined
}

/** So many of the best are looked at for one that has the query as its name. */
const NAMED_AMONG = 50
const NEAREST_MAX = 3
/** The meaning of so many new tools is there in less time than a hybrid search would like to wait. */
const AWAITED_MAX = 4000
/** Answers to repeated queries. */
const ANSWERS_MAX = 1000

export function createToolSearch(deps: ToolSearchDeps): ToolSearch {
  const { catalog, views, embedder, lessons, neural, kept } = deps
  const index = createSearchIndex(embedder, kept?.index)
  // What an answer depends on is part of its key.
  const answers = createRecentMap<ToolAnswer>(ANSWERS_MAX)
  const slots = createCatalogIndex({
    catalog,
    sink: bothTiers(index, neural),
    kept: kept?.slots,
    lessonsOf: lessons.of,
    changed: deps.indexed,
  })
  const scopes = createScopes(views, (tools) => index.prepare(slotsOf(tools, slots)))
  lessons.onChange((toolId) => {
    slots.relearn(toolId)
    scopes.clear()
    answers.deleteWhere(() => true)
  })
  /** Where a query looks, as the catalog and the rules are at the end of all waiting; undefined for no such namespace. */
  const placeOf = async (query: ToolQuery): Promise<{ view: CatalogView; scope: ToolScope } | undefined> => {
    for (;;) {
      for (let rest = missingFor(query, slots); rest; rest = missingFor(query, slots)) await rest
      const view = catalog.view(query.namespace)
      if (!view) return undefined
      const scope = scopes.of(view, query)
      if (scope) return { view, scope }
      await scopes.decide(view, query.principal)
    }
  }
  const ask = createAsking(deps, index, slots)
  return {
    async search(query) {
      const breath = createBreath()
      const place = await placeOf(query)
      if (!place) return NOTHING
      const { view, scope } = place
      const key = keyOf(query, view, [views.scopeOf(query.principal), neural?.generation()])
      const known = answers.get(key)
      if (known) return { ...known, cached: true }
      const [ranking, isWhole] = await ask(query, scope, breath)
      const answer = answerOf(query, ranking, scope.tools)
      if (isWhole) answers.set(key, answer)
      return answer
    },
    readAhead: slots.upToDate,
    async written() {
      const known = slots.keptSlots()
      const written = await index.written(new Set(known.values()))
      return written && { slots: known, index: written }
    },
    [Symbol.dispose]: () => slots[Symbol.dispose](),
  }
}

/** Without meaning, or with a provider that has failed or was too slow, it is not whole: the next who asks may get more. */
type Asking = (query: ToolQuery, scope: ToolScope, breath: Breath) => Promise<[Ranking, isWhole: boolean]>

function createAsking({ neural, reranker }: ToolSearchDeps, index: SearchIndex, slots: CatalogIndex): Asking {
  return async function ask(query, { tools, prepared }, breath) {
    await breath.take()
    const hasMeaning = slots.withoutMeaning() === 0
    const wantsMeaning = query.mode !== 'keyword' && tools.length > 0 && hasMeaning
    const said = wantsMeaning ? await neural?.say(query.text, prepared) : undefined
    const limit = Math.max(query.limit, NAMED_AMONG)
    const ranking = await index.search({ ...query, limit, hasMeaning, neural: said }, prepared, breath)
    const isFinal = (said?.isFinal ?? true) && (hasMeaning || query.mode === 'keyword')
    if (!wantsMeaning || !reranker) return [ranking, isFinal]
    const judged = await reranked(reranker, query, ranking, tools)
    return judged ? [judged, isFinal] : [ranking, false]
  }
}

const NOTHING: ToolAnswer = {
  found: [],
  total: 0,
  weights: { keyword: 0, semantic: 0 },
  parts: [],
  nearest: [],
  cached: false,
}

function slotsOf(tools: readonly CatalogTool[], slots: Pick<CatalogIndex, 'slotOf'>): Int32Array {
  const own = new Int32Array(tools.length)
  for (let place = 0; place < own.length; place += 1) own[place] = slots.slotOf(tools[place] as CatalogTool) ?? 0
  return own
}

/** What a query has to wait for. */
function missingFor({ mode }: ToolQuery, slots: CatalogIndex): Promise<void> | undefined {
  if (!slots.isCurrent()) return slots.upToDate()
  const rest = mode === 'keyword' ? 0 : slots.withoutMeaning()
  return rest > 0 && (mode === 'semantic' || rest <= AWAITED_MAX) ? slots.meaningful() : undefined
}

function bothTiers(index: SearchIndex, neural: NeuralTier | undefined): DocumentSink {
  return {
    addWords: index.addWords,
    addMeaning(slot, document) {
      const views = viewsOf(document)
      index.addMeaning(slot, views)
      neural?.put(slot, views)
    },
    found(slot, document) {
      neural?.put(slot, viewsOf(document()))
    },
    remove(slot) {
      index.remove(slot)
      neural?.remove(slot)
    },
    forget: index.forget,
  }
}

/** All that an answer depends on. */
function keyOf(
  { text, mode, namespace, filter, limit, threshold }: ToolQuery,
  view: CatalogView,
  state: unknown[],
): string {
  return JSON.stringify([text, mode, namespace, filter, limit, threshold, view.revision, ...state])
}

function answerOf({ text, limit }: ToolQuery, ranking: Ranking, tools: readonly CatalogTool[]): ToolAnswer {
  const found = ranking.hits.flatMap(({ place, ...scores }) => {
    const tool = tools[place]
    return tool ? [{ tool, ...scores }] : []
  })
  const { total, weights, parts } = ranking
  const nearest = new Set(ranking.nearest.flatMap((place) => tools[place]?.server ?? []))
  return {
    found: exactFirst(found, text).slice(0, limit),
    total,
    weights,
    parts,
    nearest: [...nearest].slice(0, NEAREST_MAX),
    cached: false,
  }
}

/** Who names the tool has found it. */
function exactFirst(found: readonly FoundTool[], text: string): readonly FoundTool[] {
  const words = wordsOf(text)
  const wanted = words.join(' ')
  const letters = words.join('').length
  // Of what is plain ASCII no letter becomes two: a name that is shorter than all that is wanted needs not be read.
  const isIt = (name: string): boolean =>
    name === text || ((name.length >= letters || !ASCII.test(name)) && wordsOf(name).join(' ') === wanted)
  const isNamed = ({ tool }: FoundTool): boolean =>
    [...new Set([tool.exposedName, tool.name, tool.originalName])].some(isIt)
  const named = found.filter(isNamed)
  if (named.length === 0) return found
  return [...named.map((hit) => ({ ...hit, score: 1 })), ...found.filter((hit) => !isNamed(hit))]
}
