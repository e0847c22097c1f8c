import type { CatalogView } from '#registry/catalog-view'
import { tokensOf } from './definition-tokens.ts'
import { META_TOOL_NAMES, metaDefinitions } from './meta-definitions.ts'

/** Above this many tokens of definitions `auto` shows the meta-tools instead. */
const AUTO_TOKENS_MAX = 10_000

interface Definition {
  readonly key: string
  readonly text: string
}

/** What `tools/list` of one view gives. */
export interface Exposure {
  /** What `expose` comes to. */
  readonly now: 'all' | 'search'
  readonly definitions: readonly Definition[]
  /** Of all tools of the view, and of what is listed. */
  readonly tokens: { readonly all: number; readonly exposed: number }
}

const exposures = new WeakMap<CatalogView, Exposure>()

/** A view's exposure: made once, because a view never changes. */
export function exposureOf(view: CatalogView): Exposure {
  const known = exposures.get(view)
  if (known) return known
  const made = exposure(view)
  exposures.set(view, made)
  return made
}

function exposure(view: CatalogView): Exposure {
  const all = tokensOf(view.tools.map(({ text }) => text))
  if (view.expose === 'all' || (view.expose === 'auto' && all <= AUTO_TOKENS_MAX))
    return { now: 'all', definitions: view.tools.map(definitionOf), tokens: { all, exposed: all } }
  // A list has each name once: where a pinned tool has the name of a meta-tool, that one has it.
  const pinned = view.pinned.filter(({ exposedName }) => !META_TOOL_NAMES.has(exposedName))
  const definitions = [...pinned.map(definitionOf), ...metaDefinitions(view)]
  return { now: 'search', definitions, tokens: { all, exposed: tokensOf(definitions.map(({ text }) => text)) } }
}

function definitionOf({ exposedName, text }: CatalogView['tools'][number]): Definition {
  return { key: exposedName, text }
}
