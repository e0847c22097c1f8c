const ANSWERS_MAX = 500

/** How often an answer was there already. */
export interface CacheCounts {
  readonly hits: number
  readonly misses: number
  readonly entries: number
}

/** Answers to repeated queries, the least recently used forgotten first. What they depend on is part of their key. */
export interface AnswerCache<T> {
  get(key: string): T | undefined
  set(key: string, answer: T): void
  clear(): void
  counts(): CacheCounts
}

export function createAnswerCache<T>(): AnswerCache<T> {
  const answers = new Map<string, T>()
  let hits = 0
  let misses = 0
  return {
    get(key) {
      const answer = answers.get(key)
      if (answer === undefined) {
        misses += 1
        return undefined
      }
      hits += 1
      answers.delete(key)
      answers.set(key, answer)
      return answer
    },
    set(key, answer) {
      answers.set(key, answer)
      const [oldest] = answers.keys()
      if (answers.size > ANSWERS_MAX && oldest !== undefined) answers.delete(oldest)
    },
    clear: () => answers.clear(),
    counts: () => ({ hits, misses, entries: answers.size }),
  }
}
