import { setImmediate } from 'node:timers/promises'
import type { CatalogTool } from '#registry/catalog-view'
import type { Catalog } from '#registry/registry-api'
import { createBreath } from './breath.ts'
import { digestOf, documentOf, serverTextsOf, type ServerText } from './catalog-document.ts'
import type { Lesson, SearchDocument } from './document.ts'

/** What takes up the documents. */
export interface DocumentSink {
  add(slot: number, document: SearchDocument): void
  /** Of a slot that is indexed already. */
  found(slot: number, document: () => SearchDocument): void
  remove(slot: number): void
  /** Takes what is left of removed slots out: they are used again. */
  forget(slots: ReadonlySet<number>): void
}

/** Slots by the digest of what is indexed in them. */
export type KeptSlots = ReadonlyMap<string, number>

interface CatalogIndexDeps {
  readonly catalog: Catalog
  readonly sink: DocumentSink
  /** What the sink has from an earlier run. */
  readonly kept?: KeptSlots | undefined
  /** Called when a revision has been indexed that was not indexed before. */
  readonly changed?: (() => void) | undefined
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
  /** What can be found again by its digest: what was learned is not of it. */
  keptSlots(): KeptSlots
}

/** Tools of equal words share a slot: in several namespaces, and over revisions. */
interface Entry {
  /** Another one when the tool is learned anew. */
  slot: number
  readonly tool: CatalogTool
  readonly server: ServerText | undefined
  /** Undefined when lessons are indexed with it. */
  digest: string | undefined
}

/** So many removed slots wait for being forgotten together, and a share of all. */
const REMOVED_MAX = 64
const REMOVED_SHARE_MAX = 0.02

export function createCatalogIndex({ catalog, sink, kept, lessonsOf, changed }: CatalogIndexDeps): CatalogIndex {
  const entries = createEntries(sink, lessonsOf, kept ?? new Map())
  let entryOf = new Map<CatalogTool, Entry>()
  let known = -1
  let following: Promise<void> | undefined

  const followOnce = async (): Promise<void> => {
    const breath = createBreath()
    const next = new Map<CatalogTool, Entry>()
    const used = new Set<Entry>()
    for (const view of catalog.views()) {
      const servers = serverTextsOf(view)
      for (const tool of view.tools) {
        if (next.has(tool)) continue
        const entry = entries.enter(tool, servers.get(tool.upstreamId))
        next.set(tool, entry)
        used.add(entry)
        await breath.take()
      }
    }
    entryOf = next
    entries.keepOnly(used)
    if (entries.takeNews()) changed?.()
  }
  const follow = async (): Promise<void> => {
    // Whoever made the revision has held the event loop already.
    await setImmediate()
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
    slotOf: (tool) => entryOf.get(tool)?.slot,
    relearn: entries.relearn,
    keptSlots: entries.keptSlots,
    [Symbol.dispose]: stopFollowing,
  }
}

/** Slots that are given, given back, and used again once nothing of them is left. */
function createSlots(sink: DocumentSink, kept: KeptSlots) {
  const unclaimed = new Map(kept)
  const taken = new Set(kept.values())
  let slotsMade = [...taken].reduce((most, slot) => Math.max(most, slot + 1), 0)
  const free = Array.from({ length: slotsMade }, (_, slot) => slot).filter((slot) => !taken.has(slot))
  const removed = new Set<number>()
  const remove = (slot: number): void => {
    sink.remove(slot)
    removed.add(slot)
    if (removed.size < Math.max(REMOVED_MAX, slotsMade * REMOVED_SHARE_MAX)) return
    sink.forget(removed)
    free.push(...removed)
    removed.clear()
  }
  return {
    /** The slot where an earlier run has indexed it. */
    claim(digest: string): number | undefined {
      const slot = unclaimed.get(digest)
      unclaimed.delete(digest)
      return slot
    },
    fresh: (): number => free.pop() ?? (slotsMade += 1) - 1,
    remove,
    /** What nobody has claimed by now, nobody has any more. */
    removeUnclaimed(): void {
      for (const slot of unclaimed.values()) remove(slot)
      unclaimed.clear()
    },
  }
}

/** What is indexed, by tool. */
function createEntries(sink: DocumentSink, lessonsOf: CatalogIndexDeps['lessonsOf'], kept: KeptSlots) {
  const byTool = new Map<string, Entry[]>()
  const slots = createSlots(sink, kept)
  let hasNews = false
  const index = (entry: Entry): void => {
    const { tool, server } = entry
    const learned = lessonsOf(tool.id)
    entry.digest = learned.length === 0 ? digestOf(tool, server) : undefined
    const known = entry.digest === undefined ? undefined : slots.claim(entry.digest)
    entry.slot = known ?? slots.fresh()
    if (known !== undefined) return sink.found(known, () => documentOf(tool, server, learned))
    sink.add(entry.slot, documentOf(tool, server, learned))
    hasNews = true
  }
  return {
    enter(tool: CatalogTool, server: ServerText | undefined): Entry {
      const own = byTool.get(tool.id) ?? []
      const same = own.find((entry) => isSame(entry, tool, server))
      if (same) return same
      const entry: Entry = { slot: -1, tool, server, digest: undefined }
      index(entry)
      byTool.set(tool.id, [...own, entry])
      return entry
    },
    keepOnly(used: ReadonlySet<Entry>): void {
      for (const [id, own] of byTool) {
        if (own.every((entry) => used.has(entry))) continue
        const rest = own.filter((entry) => used.has(entry))
        for (const { slot } of own.filter((entry) => !used.has(entry))) slots.remove(slot)
        if (rest.length === 0) byTool.delete(id)
        else byTool.set(id, rest)
        hasNews = true
      }
      slots.removeUnclaimed()
    },
    relearn(toolId: string): void {
      for (const entry of byTool.get(toolId) ?? []) {
        slots.remove(entry.slot)
        index(entry)
      }
    },
    /** Whether anything was indexed or removed since it was asked last. */
    takeNews(): boolean {
      const had = hasNews
      hasNews = false
      return had
    },
    keptSlots(): KeptSlots {
      const known = [...byTool.values()].flat()
      return new Map(known.flatMap(({ digest, slot }) => (digest === undefined ? [] : [[digest, slot] as const])))
    },
  }
}

function isSame(entry: Entry, tool: CatalogTool, server: ServerText | undefined): boolean {
  const { tool: known } = entry
  return (
    entry.server?.digest === server?.digest &&
    (known === tool ||
      (known.text === tool.text &&
        known.server === tool.server &&
        known.category === tool.category &&
        known.tags.join('\n') === tool.tags.join('\n')))
  )
}
