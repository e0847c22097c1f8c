const ANSWERS_MAX = 500

/** Answers to repeated queries, the least recently used forgotten first. What they depend on is part of their key. */
export interface AnswerCache<T> {
  get(key: string): T | undefined
  set(key: string, answer: T): void
  clear(): void
}

export function createAnswerCache<T>(): AnswerCache<T> {
  const answers = new Map<string, T>()
  return {
    get(key) {
      const answer = answers.get(key)
      if (answer === undefined) return undefined
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
  }
}
