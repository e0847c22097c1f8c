import type { Lessons } from './lessons.ts'

const FRESH_MS_MAX = 10 * 60_000
const SEARCHES_MAX = 20
const PRINCIPALS_MAX = 1000

interface Search {
  readonly text: string
  readonly at: number
  /** What it found and nobody has called yet. */
  readonly toolIds: Set<string>
}

/** Remembers for minutes who was shown what: a successful call of a found tool teaches the search. */
export interface SearchTrail {
  searched(principal: string, text: string, toolIds: readonly string[]): void
  /** Whether it remembers anything of this principal: asked at every call. */
  knows(principal: string): boolean
  /** A tool was called and did not fail. */
  called(principal: string, toolId: string): void
}

/** @param now Epoch milliseconds. */
export function createSearchTrail(lessons: Pick<Lessons, 'teach'>, now: () => number): SearchTrail {
  const byPrincipal = new Map<string, Search[]>()
  return {
    searched(principal, text, toolIds) {
      if (toolIds.length === 0) return
      const searches = byPrincipal.get(principal) ?? []
      byPrincipal.delete(principal)
      byPrincipal.set(principal, [{ text, at: now(), toolIds: new Set(toolIds) }, ...searches].slice(0, SEARCHES_MAX))
      const [oldest] = byPrincipal.keys()
      if (byPrincipal.size > PRINCIPALS_MAX && oldest !== undefined) byPrincipal.delete(oldest)
    },
    knows: (principal) => byPrincipal.has(principal),
    called(principal, toolId) {
      const fresh = byPrincipal.get(principal)?.filter(({ at }) => now() - at <= FRESH_MS_MAX)
      const search = fresh?.find(({ toolIds }) => toolIds.has(toolId))
      if (!search) return
      search.toolIds.delete(toolId)
      lessons.teach(toolId, search.text, principal)
    },
  }
}
