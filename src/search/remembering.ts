const KEPT_MAX = 20_000
const CHARS_MAX = 64

/** The same function, which makes each thing once: texts are made of the same words again and again. */
export function remembering<T extends object>(make: (word: string) => T): (word: string) => T {
  const known = new Map<string, T>()
  return (word) => {
    const cached = known.get(word)
    if (cached) return cached
    if (word.length > CHARS_MAX) return make(word)
    if (known.size >= KEPT_MAX) known.clear()
    const made = make(word)
    known.set(word, made)
    return made
  }
}
