import type { CatalogTool } from '#registry/catalog-view'
import type { Catalog } from '#registry/registry-api'
import { createBreath } from './breath.ts'
import { documentOf, serverTextsOf, type ServerText } from './catalog-document.ts'
import type { Lesson, SearchDocument } from './document.ts'

/** What takes up the documents. */
export interface DocumentSink {
  add(slot: number, document: SearchDocument): void
  remove(slot: number): void
}

interface CatalogIndexDeps {
  readonly catalog: Catalog
  readonly sink: DocumentSink
  /** What was asked when a tool turned out to be the right one. */
  lessonsOf(toolId: string): readonly Lesson[]
}

/** The slots of a catalog's tools, brought up to date revision by revision: only what differs is indexed. */
export interface CatalogIndex extends Disposable {
  /** Whether what the catalog shows now is indexed. */
  isCurrent(): boolean
  /** Resolves when a revision has been indexed. */
  upToDate(): Promise<void>
  /** Of a tool that was there when `upToDate` resolved. */
  slotOf(tool: CatalogTool): number | undefined
  /** Reads the lessons of a tool again. */
  relearn(toolId: string): void
}

/** Tools of equal words share a slot: in several namespaces, and over revisions. */
interface Entry {
  readonly slot: number
  readonly tool: CatalogTool
  readonly server: ServerText | undefined
}

export function createCatalogIndex({ catalog, sink, lessonsOf }: CatalogIndexDeps): CatalogIndex {
  const entries = createEntries(sink, lessonsOf)
  let slots = new Map<CatalogTool, number>()
  let known = -1
  let following: Promise<void> | undefined

  const followOnce = async (): Promise<void> => {
    const breath = createBreath()
    const next = new Map<CatalogTool, number>()
    const used = new Set<Entry>()
    for (const view of catalog.views()) {
      const servers = serverTextsOf(view)
      for (const tool of view.tools) {
        if (next.has(tool)) continue
        const entry = entries.enter(tool, servers.get(tool.upstreamId))
        next.set(tool, entry.slot)
        used.add(entry)
        await breath.take()
      }
    }
    slots = next
    entries.keepOnly(used)
  }
  const follow = async (): Promise<void> => {
    for (;;) {
      const { revision } = catalog
      await followOnce()
      known = revision
      // In the same breath as the last look: a revision that comes now starts anew.
      if (revision === catalog.revision) break
    }
    following = undefined
  }
  const upToDate = (): Promise<void> => (known === catalog.revision ? Promise.resolve() : (following ??= follow()))
  const stopFollowing = catalog.onChange(() => void upToDate())
  return {
    isCurrent: () => known === catalog.revision,
    upToDate,
    slotOf: (tool) => slots.get(tool),
    relearn: entries.relearn,
    [Symbol.dispose]: stopFollowing,
  }
}

/** What is indexed, by tool. A slot that becomes free is used again. */
function createEntries(sink: DocumentSink, lessonsOf: CatalogIndexDeps['lessonsOf']) {
  const byTool = new Map<string, Entry[]>()
  const free: number[] = []
  let slotsMade = 0
  const freeSlot = (): number => {
    const slot = free.pop()
    if (slot !== undefined) return slot
    slotsMade += 1
    return slotsMade - 1
  }
  return {
    enter(tool: CatalogTool, server: ServerText | undefined): Entry {
      const own = byTool.get(tool.id) ?? []
      const same = own.find((entry) => isSame(entry, tool, server))
      if (same) return same
      const entry = { slot: freeSlot(), tool, server }
      sink.add(entry.slot, documentOf(tool, server, lessonsOf(tool.id)))
      byTool.set(tool.id, [...own, entry])
      return entry
    },
    keepOnly(used: ReadonlySet<Entry>): void {
      for (const [id, own] of byTool) {
        const kept = own.filter((entry) => used.has(entry))
        for (const { slot } of own.filter((entry) => !used.has(entry))) {
          sink.remove(slot)
          free.push(slot)
        }
        if (kept.length === 0) byTool.delete(id)
        else byTool.set(id, kept)
      }
    },
    relearn(toolId: string): void {
      for (const { slot, tool, server } of byTool.get(toolId) ?? []) {
        sink.remove(slot)
        sink.add(slot, documentOf(tool, server, lessonsOf(toolId)))
      }
    },
  }
}

function isSame(entry: Entry, tool: CatalogTool, server: ServerText | undefined): boolean {
  return (
    entry.tool.text === tool.text &&
    entry.tool.server === tool.server &&
    entry.server?.title === server?.title &&
    entry.server?.text === server?.text
  )
}
