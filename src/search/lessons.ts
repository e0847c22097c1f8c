import { messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import { digest } from '#kernel/seal'
import type { Lesson } from './document.ts'

/** A tool remembers this many, and of one principal a third of them: nobody alone decides what a tool is for. */
const PER_TOOL_MAX = 12
const PER_PRINCIPAL_MAX = 4
/** After this a lesson weighs half. */
const HALF_LIFE_MS = 90 * 86_400_000
const WEIGHT_MIN = 0.1
const TEXT_CHARS_MAX = 500

/** A query that led to a successful call of a tool. */
export interface LearnedQuery {
  /** Of tool, principal and text: the same lesson twice is one. */
  readonly id: string
  readonly toolId: string
  readonly principal: string
  readonly text: string
  /** Epoch milliseconds. */
  readonly learnedAt: number
}

/** Keeps lessons over restarts. */
export interface LessonStore {
  list(): Promise<readonly LearnedQuery[]>
  put(lesson: LearnedQuery): Promise<void>
  delete(ids: readonly string[]): Promise<void>
}

/** What use has taught about the tools. */
export interface Lessons {
  /** Newest first, with what each still weighs. */
  of(toolId: string): readonly Lesson[]
  all(): readonly LearnedQuery[]
  /** Remembers; durable in the background. Of one principal the newest few count. */
  teach(toolId: string, text: string, principal: string): void
  /** Forgets what was learned of a tool, or everything; durable before it resolves. Answers how much it was. */
  forget(toolId?: string): Promise<number>
  /** Called after the lessons of a tool changed. */
  onChange(listener: (toolId: string) => void): void
}

export interface LessonDeps {
  readonly store: LessonStore
  readonly log: Logger
  /** Epoch milliseconds. */
  now(): number
}

export async function openLessons({ store, log, now }: LessonDeps): Promise<Lessons> {
  const byTool = new Map<string, LearnedQuery[]>()
  const listeners = new Set<(toolId: string) => void>()
  for (const lesson of await store.list()) {
    byTool.set(lesson.toolId, [...(byTool.get(lesson.toolId) ?? []), lesson])
  }
  const changed = (toolId: string): void => {
    for (const listener of listeners) listener(toolId)
  }
  const save = (work: Promise<void>): void => {
    work.catch((error: unknown) => log.warn({ error: messageOf(error) }, 'what search learned could not be stored'))
  }
  const weightOf = ({ learnedAt }: LearnedQuery): number => 0.5 ** (Math.max(0, now() - learnedAt) / HALF_LIFE_MS)
  return {
    of: (toolId) =>
      (byTool.get(toolId) ?? [])
        .map((lesson) => ({ text: lesson.text, weight: weightOf(lesson) }))
        .filter(({ weight }) => weight >= WEIGHT_MIN),
    all: () => [...byTool.values()].flat(),
    teach(toolId, query, principal) {
      const text = query.trim().slice(0, TEXT_CHARS_MAX)
      const id = digest(JSON.stringify([toolId, principal, text]))
      const lesson = { id, toolId, principal, text, learnedAt: now() }
      const before = byTool.get(toolId) ?? []
      const kept = bounded([lesson, ...before.filter((each) => each.id !== id)])
      byTool.set(toolId, kept)
      save(store.put(lesson))
      const dropped = before.filter((each) => !kept.some((other) => other.id === each.id)).map((each) => each.id)
      if (dropped.length > 0) save(store.delete(dropped))
      changed(toolId)
    },
    async forget(toolId) {
      const gone = toolId === undefined ? [...byTool.values()].flat() : (byTool.get(toolId) ?? [])
      await store.delete(gone.map(({ id }) => id))
      for (const each of new Set(gone.map((lesson) => lesson.toolId))) {
        byTool.delete(each)
        changed(each)
      }
      return gone.length
    },
    onChange: (listener) => void listeners.add(listener),
  }
}

/** The newest ones within the bounds. A tool that is full loses the oldest of whoever taught most: others keep their say. */
function bounded(lessons: readonly LearnedQuery[]): LearnedQuery[] {
  const byPrincipal = Map.groupBy(lessons, ({ principal }) => principal)
  const groups = [...byPrincipal.values()].map((group) => group.slice(0, PER_PRINCIPAL_MAX))
  for (let count = groups.flat().length; count > PER_TOOL_MAX; count -= 1) {
    const largest = groups.reduce((most, group) => (group.length > most.length ? group : most))
    largest.pop()
  }
  return groups.flat().toSorted((a, b) => b.learnedAt - a.learnedAt)
}
