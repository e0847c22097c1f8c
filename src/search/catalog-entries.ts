import type { CatalogTool } from '#registry/catalog-view'
import { digestOf, documentOf, type ServerText } from './catalog-document.ts'
import type { Lesson, SearchDocument } from './document.ts'
import { createSlots, type KeptSlots } from './slots.ts'

/** What takes up the documents. */
export interface DocumentSink {
  addWords(slot: number, document: SearchDocument): void
  addMeaning(slot: number, document: SearchDocument): void
  /** Of a slot that is indexed already. */
  found(slot: number, document: () => SearchDocument): void
  remove(slot: number): void
  /** Takes what is left of removed slots out: they are used again. */
  forget(slots: ReadonlySet<number>): void
}

export interface EntriesDeps {
  readonly sink: DocumentSink
  /** What the sink has from an earlier run. */
  readonly kept?: KeptSlots | undefined
  /** What was asked when a tool turned out to be the right one. */
  lessonsOf(toolId: string): readonly Lesson[]
}

/** Tools of equal words share a slot: in several namespaces, and over revisions. */
export interface Entry {
  /** Another one when the tool is learned anew. */
  slot: number
  readonly tool: CatalogTool
  readonly server: ServerText | undefined
  /** Undefined when lessons are indexed with it, and before its meaning is. */
  digest: string | undefined
}

/** What is indexed, by tool. */
export function createEntries(deps: EntriesDeps) {
  const byTool = new Map<string, Entry[]>()
  let count = 0
  const { index, addMeaning, drop, slots, withoutMeaning, takeNews } = createIndexing(deps)
  return {
    enter(tool: CatalogTool, server: ServerText | undefined): Entry {
      const own = byTool.get(tool.id) ?? []
      const same = own.find((entry) => isSame(entry, tool, server))
      if (same) return same
      const entry: Entry = { slot: -1, tool, server, digest: undefined }
      index(entry)
      count += 1
      // `[...own, entry]` of nothing and one has room for seventeen.
      byTool.set(tool.id, own.length === 0 ? [entry] : [...own, entry])
      return entry
    },
    keepOnly(used: ReadonlySet<Entry>): void {
      slots.removeUnclaimed()
      if (used.size === count) return
      for (const [id, own] of byTool) {
        if (own.every((entry) => used.has(entry))) continue
        const rest = own.filter((entry) => used.has(entry))
        for (const entry of own) if (!used.has(entry)) drop(entry)
        count -= own.length - rest.length
        if (rest.length === 0) byTool.delete(id)
        else byTool.set(id, rest)
      }
    },
    relearn(toolId: string): void {
      for (const entry of byTool.get(toolId) ?? []) {
        drop(entry)
        index(entry)
        addMeaning(entry)
      }
    },
    /** Found by their words alone. */
    withoutMeaning,
    addMeaning,
    takeNews,
    keptSlots(): KeptSlots {
      const kept = new Map<string, number>()
      for (const own of byTool.values())
        for (const entry of own)
          if (entry.digest !== undefined && !withoutMeaning.has(entry)) kept.set(entry.digest, entry.slot)
      return kept
    },
  }
}

export type Entries = ReturnType<typeof createEntries>

function createIndexing({ sink, kept = new Map(), lessonsOf }: EntriesDeps) {
  const slots = createSlots(sink, kept)
  const withoutMeaning = new Set<Entry>()
  let hasNews = false
  return {
    slots,
    withoutMeaning: withoutMeaning as ReadonlySet<Entry>,
    index(entry: Entry): void {
      const { tool, server } = entry
      const learned = lessonsOf(tool.id)
      // All others get theirs with their meaning: ten thousand take as long as some searches.
      entry.digest = learned.length === 0 && slots.hasUnclaimed() ? digestOf(tool, server) : undefined
      const known = entry.digest === undefined ? undefined : slots.claim(entry.digest)
      entry.slot = known ?? slots.fresh()
      if (known !== undefined) return sink.found(known, () => documentOf(tool, server, learned))
      sink.addWords(entry.slot, documentOf(tool, server, learned))
      withoutMeaning.add(entry)
      hasNews = true
    },
    addMeaning(entry: Entry): void {
      const { tool, server } = entry
      const learned = lessonsOf(tool.id)
      if (learned.length === 0) entry.digest ??= digestOf(tool, server)
      sink.addMeaning(entry.slot, documentOf(tool, server, learned))
      withoutMeaning.delete(entry)
    },
    drop(entry: Entry): void {
      slots.remove(entry.slot)
      withoutMeaning.delete(entry)
      hasNews = true
    },
    /** Whether anything was indexed or removed since it was asked last. */
    takeNews(): boolean {
      const had = hasNews
      hasNews = false
      return had
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
