import { setImmediate } from 'node:timers/promises'
import type { Principal } from '#identity/principal'
import type { Catalog } from '#registry/registry-api'
import type { CatalogTool, CatalogView } from '#registry/catalog-view'
import { wordsOf } from './analyser.ts'
import { documentOf, serverTextsOf } from './catalog-document.ts'
import { createSearchIndex, type Hit, type SearchMode, type SearchScope } from './search-index.ts'
import type { Embedder } from './static-embedder.ts'

/** How long indexing holds the event loop at a time. */
const SLICE_MS = 5

export interface ToolQuery {
  readonly text: string
  readonly mode: SearchMode
  /** Undefined for all tools. */
  readonly namespace?: string | undefined
  /** Who is not let through is neither scored nor counted. */
  mayFind(tool: CatalogTool): boolean
  readonly limit: number
  /** Share of the best score below which nothing is shown; 0 to 1. */
  readonly threshold: number
  readonly principal: Principal
  readonly surface: 'mcp' | 'rest'
}

export interface FoundTool extends Omit<Hit, 'slot'> {
  readonly tool: CatalogTool
}

export interface FoundTools {
  readonly found: readonly FoundTool[]
  /** How many fit, those beyond the limit included. */
  readonly total: number
  /** Whether the answer was there from an earlier search. */
  readonly cached?: boolean
}

/** Finds the tools of a catalog that fit a task. */
export interface ToolSearch extends Disposable {
  /** The best first. An exact name is the best there is. */
  search(query: ToolQuery): Promise<FoundTools>
}

export function createToolSearch(catalog: Catalog, embedder: Embedder): ToolSearch {
  const index = createSearchIndex(embedder)
  const slots = new Map<CatalogTool, number>()
  const tools = new Map<number, CatalogTool>()
  let nextSlot = 0
  let known = -1
  let following: Promise<void> | undefined

  const follow = async (): Promise<void> => {
    for (;;) {
      const { revision } = catalog
      const views = catalog.views()
      const wanted = new Set(views.flatMap((view) => view.tools))
      for (const [tool, slot] of slots) if (!wanted.has(tool)) forget(tool, slot)
      await inSlices(views, (view) => {
        const servers = serverTextsOf(view)
        return view.tools.filter((tool) => !slots.has(tool)).map((tool) => () => learn(tool, servers))
      })
      known = revision
      // In the same breath as the last look: a revision that comes now starts anew.
      if (revision === catalog.revision) break
    }
    following = undefined
  }
  const learn = (tool: CatalogTool, servers: ReturnType<typeof serverTextsOf>): void => {
    if (slots.has(tool)) return
    const slot = nextSlot
    nextSlot += 1
    index.add(slot, documentOf(tool, servers))
    slots.set(tool, slot)
    tools.set(slot, tool)
  }
  const forget = (tool: CatalogTool, slot: number): void => {
    index.remove(slot)
    slots.delete(tool)
    tools.delete(slot)
  }
  const upToDate = (): Promise<void> => (known === catalog.revision ? Promise.resolve() : (following ??= follow()))
  const scopeOf = (view: CatalogView, mayFind: ToolQuery['mayFind']): SearchScope =>
    index.scope(new Set(view.tools.filter(mayFind).flatMap((tool) => slots.get(tool) ?? [])))
  const stopFollowing = catalog.onChange(() => void upToDate())
  return {
    async search({ text, mode, namespace, mayFind, limit, threshold }) {
      await upToDate()
      const view = catalog.view(namespace)
      if (!view) return { found: [], total: 0 }
      const found = index.search(text, mode, scopeOf(view, mayFind)).flatMap(({ slot, ...scores }) => {
        const tool = tools.get(slot)
        return tool ? [{ tool, ...scores }] : []
      })
      const ranked = exactFirst(found, text)
      const best = ranked[0]?.score ?? 0
      const fitting = ranked.filter(({ score }) => score > 0 && score >= best * threshold)
      return { found: fitting.slice(0, limit), total: fitting.length }
    },
    [Symbol.dispose]: stopFollowing,
  }
}

/** Who names the tool has found it. */
function exactFirst(found: readonly FoundTool[], text: string): readonly FoundTool[] {
  const wanted = wordsOf(text).join(' ')
  const isNamed = ({ tool }: FoundTool): boolean =>
    [tool.exposedName, tool.name, tool.originalName].some((name) => name === text || wordsOf(name).join(' ') === wanted)
  const named = found.filter(isNamed)
  if (named.length === 0) return found
  return [...named.map((hit) => ({ ...hit, score: 1 })), ...found.filter((hit) => !isNamed(hit))]
}

/** Does the work bit by bit, so that calls go on meanwhile. */
async function inSlices<T>(items: readonly T[], workOf: (item: T) => readonly (() => void)[]): Promise<void> {
  let since = performance.now()
  for (const item of items) {
    for (const work of workOf(item)) {
      work()
      if (performance.now() - since < SLICE_MS) continue
      await setImmediate()
      since = performance.now()
    }
  }
}
