/** The known name that a mistyped one most likely meant; undefined only when nothing is known. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = normalise(name)
  return known
    .map((candidate) => ({ candidate, distance: editDistance(plain, normalise(candidate)) }))
    .toSorted((a, b) => a.distance - b.distance)[0]?.candidate
}

/** `timeout_ms`, `timeout-ms` and `timeoutMs` are the same mistake. */
function normalise(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '')
}

/** Levenshtein's: how many characters to insert, remove or replace. */
function editDistance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (const [row, character] of from.split('').entries()) {
    const current = [row + 1]
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (above[column - 1] ?? 0) + (to[column - 1] === character ? 0 : 1)
      current.push(Math.min(replaced, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    above = current
  }
  return above[to.length] ?? 0
}
