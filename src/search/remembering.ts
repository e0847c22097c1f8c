const KEPT_MAX = 20_000
const CHARS_MAX = 64
const REST_MS = 1500

/** The same function, which makes each thing once for some seconds: texts that come together are made of the same words. */
export function remembering<T extends object>(make: (word: string) => T): (word: string) => T {
  const known = new Map<string, T>()
  const forget = (): void => known.clear()
  return (word) => {
    const cached = known.get(word)
    if (cached) return cached
    if (word.length > CHARS_MAX) return make(word)
    if (known.size === 0) setTimeout(forget, REST_MS).unref()
    if (known.size >= KEPT_MAX) known.clear()
    const made = make(word)
    known.set(word, made)
    return made
  }
}
