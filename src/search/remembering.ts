const KEPT_MAX = 20_000
const CHARS_MAX = 64

/** Milliseconds after which what was made is forgotten: until then come the texts that are made of the same words. */
export const REST_MS = 1500

/** Makes each thing once for some seconds. */
export interface Remembering<T> {
  get(word: string): T
  forget(): void
}

export function remembering<T extends object>(make: (word: string) => T): Remembering<T> {
  const known = new Map<string, T>()
  const forget = (): void => known.clear()
  return {
    get(word) {
      const cached = known.get(word)
      if (cached) return cached
      if (word.length > CHARS_MAX) return make(word)
      if (known.size === 0) setTimeout(forget, REST_MS).unref()
      if (known.size >= KEPT_MAX) known.clear()
      const made = make(word)
      known.set(word, made)
      return made
    },
    forget,
  }
}
