import { setImmediate } from 'node:timers/promises'
import { AppError } from '#kernel/errors'
import { collectInSteps } from '#kernel/collect-in-steps'
import type { CatalogTool } from '#registry/catalog-view'
import type { Catalog } from '#registry/registry-api'
import { createBreath } from './breath.ts'
import { serverTextsOf } from './catalog-document.ts'
import { createEntries, type Entries, type EntriesDeps, type Entry } from './catalog-entries.ts'
import type { KeptSlots } from './slots.ts'

/** Each tool leaves kilobytes behind. */
const MUCH_GARBAGE_FROM = 1000

interface CatalogIndexDeps extends EntriesDeps {
  readonly catalog: Catalog
  /** Called when a revision has been indexed that was not indexed before. */
  readonly changed?: (() => void) | undefined
}

/**
 * The slots of a catalog's tools, brought up to date revision by revision: only what differs is indexed, the words of all
 * before the meaning of any.
 */
export interface CatalogIndex extends Disposable {
  /** Whether the words of what the catalog shows now are indexed. */
  isCurrent(): boolean
  /** Resolves when those of a revision have been. */
  upToDate(): Promise<void>
  /** Of how many tools the meaning is not indexed yet. */
  withoutMeaning(): number
  /** Resolves when there may be none. */
  meaningful(): Promise<void>
  /** Of a tool that was there when `upToDate` resolved. */
  slotOf(tool: CatalogTool): number | undefined
  /** Reads the lessons of a tool again. */
  relearn(toolId: string): void
  /** What can be found again by its digest: what was learned is not of it. */
  keptSlots(): KeptSlots
}

export function createCatalogIndex({ catalog, changed, ...deps }: CatalogIndexDeps): CatalogIndex {
  const entries = createEntries(deps)
  const meaning = createMeaning(entries, changed)
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
    await breath.take()
    entryOf = next
    entries.keepOnly(used)
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
    void meaning.added()
  }
  const upToDate = (): Promise<void> => (known === catalog.revision ? Promise.resolve() : (following ??= follow()))
  const stopFollowing = catalog.onChange(() => void upToDate())
  return {
    isCurrent: () => known === catalog.revision,
    upToDate,
    withoutMeaning: () => entries.withoutMeaning.size,
    meaningful: meaning.added,
    slotOf: (tool) => entryOf.get(tool)?.slot,
    relearn: entries.relearn,
    keptSlots: entries.keptSlots,
    [Symbol.dispose]() {
      stopFollowing()
      meaning[Symbol.dispose]()
    },
  }
}

/** Adds the meaning of what has none yet, until it is disposed of: then nobody gets any more. */
function createMeaning(entries: Entries, changed: CatalogIndexDeps['changed']) {
  let adding: Promise<void> | undefined
  let isOver = false
  const add = async (): Promise<void> => {
    const breath = createBreath()
    let added = 0
    for (const entry of entries.withoutMeaning) {
      if (isOver) throw new AppError('unavailable', 'The search has ended')
      entries.addMeaning(entry)
      added += 1
      await breath.take()
    }
    if (added >= MUCH_GARBAGE_FROM) collectInSteps()
    if (entries.takeNews()) changed?.()
  }
  return {
    added(): Promise<void> {
      adding ??= add().finally(() => (adding = undefined))
      // Who waits for it is told; nobody may be waiting.
      adding.catch(() => undefined)
      return adding
    },
    [Symbol.dispose]() {
      isOver = true
    },
  }
}
