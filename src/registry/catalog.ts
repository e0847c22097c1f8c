import { httpTool, upstreamPart, type CatalogPart } from './catalog-parts.ts'
import type { CatalogChange, CatalogTool, CatalogUpstream, CatalogView } from './catalog-view.ts'
import type { NameTable } from './exposed-names.ts'
import { changeBetween, makeView, type CatalogWhole } from './make-view.ts'
import type { Expose, HttpToolRecord, NamespaceRecord, ToolOverrideRecord, UpstreamRecord } from './records.ts'
import type { Catalog } from './registry-api.ts'
import type { UpstreamSnapshot } from './snapshot.ts'

/** Where the catalog reads what exists; asked anew at each revision. */
export interface CatalogSource {
  upstreams(): readonly UpstreamRecord[]
  httpTools(): readonly HttpToolRecord[]
  namespaces(): readonly NamespaceRecord[]
  readonly overrides: ReadonlyMap<string, ToolOverrideRecord>
  readonly snapshots: ReadonlyMap<string, UpstreamSnapshot>
  readonly names: NameTable
  /** How the endpoint of everything shows its tools; `all` when absent. */
  readonly expose?: Expose
}

/** The catalog and the one way to move it on. */
export interface LiveCatalog extends Catalog {
  /** Publishes a new revision from what the source says now. */
  publish(): void
}

export function createCatalog(source: CatalogSource): LiveCatalog {
  const listeners = new Set<(change: CatalogChange) => void>()
  const partOf = createPartCache(source)
  let all: readonly CatalogTool[] = []
  let views = new Map<string | undefined, CatalogView>()
  let revision = 0
  return {
    get revision() {
      return revision
    },
    view: (namespace) => views.get(namespace),
    views: () => [...views.values()],
    allTools: () => all,
    collisions: () => source.names.collisions(),
    isComplete: () => source.upstreams().every(({ id, enabled }) => !enabled || source.snapshots.has(id)),
    snapshot: (upstreamId) => source.snapshots.get(upstreamId),
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    publish() {
      revision += 1
      const before = views
      const { whole, tools } = collect(source, partOf)
      all = tools
      const everything = { ...makeView(whole, revision), expose: source.expose ?? 'all' }
      views = new Map<string | undefined, CatalogView>([[undefined, everything]])
      for (const each of source.namespaces()) views.set(each.name, makeView(whole, revision, each))
      for (const [name, view] of views) {
        const change = changeBetween(before.get(name), view)
        if (change) for (const listener of listeners) listener(change)
      }
    },
  }
}

type PartOf = (record: UpstreamRecord, snapshot: UpstreamSnapshot, own: readonly ToolOverrideRecord[]) => CatalogPart

/** An upstream whose record, snapshot and overrides are the same keeps its part: one change costs one upstream. */
function createPartCache(source: CatalogSource): PartOf {
  const parts = new Map<string, { key: readonly unknown[]; part: CatalogPart }>()
  return function partOf(record, snapshot, own) {
    const key = [record, snapshot, ...own]
    const cached = parts.get(record.id)
    if (cached?.key.length === key.length && cached.key.every((part, index) => part === key[index])) return cached.part
    const part = upstreamPart(record, snapshot, source.names, source.overrides)
    parts.set(record.id, { key, part })
    return part
  }
}

function collect(source: CatalogSource, partOf: PartOf): { whole: CatalogWhole; tools: readonly CatalogTool[] } {
  const upstreams: CatalogUpstream[] = []
  const parts: CatalogPart[] = []
  const overrides = Map.groupBy(source.overrides.values(), ({ upstreamId }) => upstreamId)
  for (const record of source.upstreams()) {
    const snapshot = source.snapshots.get(record.id)
    if (!snapshot || !record.enabled) continue
    upstreams.push({ ...record, upstreamId: record.id, server: record.name, snapshot })
    parts.push(partOf(record, snapshot, overrides.get(record.id) ?? []))
  }
  const tools = [
    ...parts.flatMap((part) => part.tools),
    ...source.httpTools().map((tool) => httpTool(tool, source.names)),
  ]
  const whole = {
    tools: tools.filter((tool) => tool.enabled),
    prompts: parts.flatMap((part) => part.prompts),
    resources: parts.flatMap((part) => part.resources),
    templates: parts.flatMap((part) => part.templates),
    upstreams,
  }
  return { whole, tools }
}
