import { digest } from '#kernel/seal'
import type { ExposedName, NamedKind } from './stores.ts'

/** Model APIs take names up to 64 characters of this alphabet. */
const NAME_LENGTH_MAX = 64
const HASH_LENGTH = 8
const SEPARATOR = '__'

/** A name that wants to be exposed. */
export interface NameWish {
  readonly kind: NamedKind
  readonly upstreamId: string
  readonly originalName: string
  /** The name it would have if it were alone. */
  readonly wanted: string
}

/** Two things wanted one name: what the later one is called now. */
export interface NameCollision extends NameWish {
  readonly given: string
}

/**
 * The table between original and exposed names. A name that was given stays given over restarts;
 * nobody ever parses an exposed name to learn where it leads.
 */
export interface NameTable {
  /** The exposed name of this wish: the wanted one, or one that ends with a hash when another thing has that. */
  assign(wish: NameWish): string
  collisions(): readonly NameCollision[]
  /** Rows given since the last call, to be stored. */
  takeNew(): ExposedName[]
  forget(upstreamId: string): void
}

export function createNameTable(known: readonly ExposedName[]): NameTable {
  const kinds = new Map<NamedKind, GivenNames>()
  const collisions = new Map<string, NameCollision>()
  let fresh: ExposedName[] = []
  const namesOf = (kind: NamedKind): GivenNames => {
    const own = kinds.get(kind) ?? createGivenNames()
    kinds.set(kind, own)
    return own
  }
  for (const row of known) {
    const names = namesOf(row.kind)
    if (!names.isTaken(row.exposedName)) names.give(row, row.exposedName)
  }
  return {
    assign(wish) {
      const { kind, upstreamId, originalName, wanted } = wish
      const names = namesOf(kind)
      const before = names.of(wish)
      if (before === wanted) {
        if (collisions.size > 0) collisions.delete(keyOf(wish))
        return wanted
      }
      const key = keyOf(wish)
      const free = !names.isTaken(wanted)
      if (free) collisions.delete(key)
      // Clients know the name it was given when another had the wanted one, even after that one is gone.
      const hashed = suffixedName(wanted, key)
      const exposedName = free && before !== hashed ? wanted : hashed
      if (!free) collisions.set(key, { ...wish, given: exposedName })
      if (before === exposedName) return exposedName
      names.give(wish, exposedName)
      fresh.push({ kind, upstreamId, originalName, exposedName })
      return exposedName
    },
    collisions: () => [...collisions.values()],
    takeNew() {
      const rows = fresh
      fresh = []
      return rows
    },
    forget(upstreamId) {
      for (const names of kinds.values()) names.forget(upstreamId)
      for (const [key, collision] of collisions) if (collision.upstreamId === upstreamId) collisions.delete(key)
    },
  }
}

type Named = Pick<ExposedName, 'upstreamId' | 'originalName'>

/** The names of one kind of things, and whose they are. */
interface GivenNames {
  of(named: Named): string | undefined
  isTaken(exposedName: string): boolean
  /** Frees the one it had before. */
  give(named: Named, exposedName: string): void
  forget(upstreamId: string): void
}

/** Of ten thousand tools, so a row or a key for each of them would take megabytes. */
function createGivenNames(): GivenNames {
  const byUpstream = new Map<string, Map<string, string>>()
  const taken = new Set<string>()
  return {
    of: ({ upstreamId, originalName }) => byUpstream.get(upstreamId)?.get(originalName),
    isTaken: (exposedName) => taken.has(exposedName),
    give({ upstreamId, originalName }, exposedName) {
      const own = byUpstream.get(upstreamId) ?? new Map<string, string>()
      byUpstream.set(upstreamId, own)
      const before = own.get(originalName)
      if (before !== undefined) taken.delete(before)
      // Most are equal: one string for both.
      const shared = exposedName === originalName ? originalName : exposedName
      own.set(originalName, shared)
      taken.add(shared)
    },
    forget(upstreamId) {
      for (const name of byUpstream.get(upstreamId)?.values() ?? []) taken.delete(name)
      byUpstream.delete(upstreamId)
    },
  }
}

/** `prefix__original`, legal and at most 64 characters; with the empty prefix the original name as it is. */
export function prefixedName(prefix: string, originalName: string): string {
  return prefix === '' ? originalName : legalName(`${prefix}${SEPARATOR}${originalName}`)
}

/** The name itself when it is legal, else a legal one that ends with a hash of it. */
export function legalName(name: string): string {
  const legal = name.replaceAll(/[^A-Za-z0-9_-]/g, '_')
  return legal === name && name.length > 0 && name.length <= NAME_LENGTH_MAX ? name : suffixedName(legal, name)
}

/** The name with a hash of what it stands for, at most 64 characters. */
export function suffixedName(name: string, source: string): string {
  const hash = digest(source)
    .replaceAll(/[^A-Za-z0-9]/g, '0')
    .slice(0, HASH_LENGTH)
  return `${name.slice(0, NAME_LENGTH_MAX - HASH_LENGTH - 1)}_${hash}`
}

function keyOf(row: Pick<ExposedName, 'kind' | 'upstreamId' | 'originalName'>): string {
  return `${row.kind} ${row.upstreamId} ${row.originalName}`
}
