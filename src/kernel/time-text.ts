const MS = 1000

/** Writes moments as `toISOString` does; of many that are close to each other at a tenth of its price. */
export function createTimeText(): (atMs: number) => string {
  let second = NaN
  let upToTheDot = ''
  return (atMs) => {
    const now = Math.floor(atMs / MS)
    if (now !== second) {
      upToTheDot = new Date(now * MS).toISOString().slice(0, -4)
      second = now
    }
    return `${upToTheDot}${String(Math.floor(atMs) - now * MS).padStart(3, '0')}Z`
  }
}
