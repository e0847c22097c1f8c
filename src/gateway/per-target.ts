import type { Target } from './call.ts'

/** Beyond this many, those that nobody needs now are forgotten: servers come and go. */
const KEPT_MAX = 1000

/** One thing for all calls that go the same way: an upstream, one of its tools, one HTTP tool. */
export interface PerTarget<T> {
  of(target: Target): T
  /** By key, those that calls came to so far. */
  readonly all: ReadonlyMap<string, T>
  forget(matches: (key: string) => boolean): void
}

export interface PerTargetDeps<T> {
  /** Targets with the same key share one. */
  keyOf(target: Target): string
  make(target: Target, key: string): T
  /** What may be forgotten without loss. */
  isIdle(thing: T): boolean
  /** False for one that was made when the operator wanted it otherwise: it makes room for a new one. */
  fits?(thing: T, target: Target): boolean
}

/** Calls find theirs by the identity of their target, which stays as long as the tool does. */
export function createPerTarget<T>({ keyOf, make, isIdle, fits }: PerTargetDeps<T>): PerTarget<T> {
  const byKey = new Map<string, T>()
  let byTarget = new WeakMap<Target, T>()
  const forget = (matches: (key: string, thing: T) => boolean): void => {
    for (const [key, thing] of byKey) if (matches(key, thing)) byKey.delete(key)
    byTarget = new WeakMap()
  }
  return {
    all: byKey,
    of(target) {
      const known = byTarget.get(target)
      if (known) return known
      if (byKey.size >= KEPT_MAX) forget((_key, thing) => isIdle(thing))
      const key = keyOf(target)
      const before = byKey.get(key)
      const thing = before && (fits?.(before, target) ?? true) ? before : make(target, key)
      byKey.set(key, thing)
      byTarget.set(target, thing)
      return thing
    },
    forget,
  }
}

/** The upstream; an HTTP tool is one of its own. */
export function wayOf({ upstreamId, originalName, tool }: Target): string {
  return tool?.kind === 'http' ? `${upstreamId}/${originalName}` : upstreamId
}
