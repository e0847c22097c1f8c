/** The names that are most like one of the wanted ones, by the pairs of letters that they share; for who mistyped. */
export function nearestNames(wanted: readonly string[], names: readonly string[], most: number): string[] {
  const pairs = wanted.map(pairsOf)
  return names
    .map((name) => ({ name, likeness: Math.max(...pairs.map((each) => likeness(each, pairsOf(name)))) }))
    .filter((each) => each.likeness > 0)
    .toSorted((a, b) => b.likeness - a.likeness)
    .slice(0, most)
    .map(({ name }) => name)
}

function pairsOf(text: string): ReadonlySet<string> {
  const letters = text.toLowerCase()
  return new Set(Array.from({ length: Math.max(0, letters.length - 1) }, (_, at) => letters.slice(at, at + 2)))
}

/** Dice's coefficient: 0 to 1. */
function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  if (a.size === 0 || b.size === 0) return 0
  return (2 * a.intersection(b).size) / (a.size + b.size)
}
