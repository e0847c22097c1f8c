/** One page of a list that is in memory, with what lists answer beside their items. */
export function pageOf<T>(items: readonly T[], { limit, offset }: { limit: number; offset: number }) {
  return { items: items.slice(offset, offset + limit), info: { total: items.length, limit, offset } }
}

/** Epoch milliseconds as answers carry them. */
export function isoTime(atMs: number): string {
  return new Date(atMs).toISOString()
}

/** The same, where there may be none. */
export function isoTimeOrNull(atMs: number | undefined): string | null {
  return atMs === undefined ? null : isoTime(atMs)
}

/** A time that a caller wrote, where he wrote one. */
export function msOf(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time)
}
