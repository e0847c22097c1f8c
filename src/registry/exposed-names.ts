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
  const given = new Map<string, ExposedName>()
  const taken = new Map<string, string>()
  const collisions = new Map<string, NameCollision>()
  let fresh: ExposedName[] = []

  const keep = (row: ExposedName, key = keyOf(row)): void => {
    const before = given.get(key)
    if (before) taken.delete(`${before.kind} ${before.exposedName}`)
    given.set(key, row)
    taken.set(`${row.kind} ${row.exposedName}`, key)
  }

  for (const row of known) keep(row)
  return {
    assign(wish) {
      const { kind, upstreamId, originalName, wanted } = wish
      const key = keyOf(wish)
      const before = given.get(key)?.exposedName
      const free = (taken.get(`${kind} ${wanted}`) ?? key) === key
      if (free) collisions.delete(key)
      if (free && before === wanted) return wanted
      // Clients know the name it was given when another had the wanted one, even after that one is gone.
      const hashed = suffixedName(wanted, key)
      const exposedName = free && before !== hashed ? wanted : hashed
      if (!free) collisions.set(key, { ...wish, given: exposedName })
      if (before === exposedName) return exposedName
      const row = { kind, upstreamId, originalName, exposedName }
      keep(row, key)
      fresh.push(row)
      return exposedName
    },
    collisions: () => [...collisions.values()],
    takeNew() {
      const rows = fresh
      fresh = []
      return rows
    },
    forget(upstreamId) {
      for (const [key, row] of given) {
        if (row.upstreamId !== upstreamId) continue
        given.delete(key)
        collisions.delete(key)
        taken.delete(`${row.kind} ${row.exposedName}`)
      }
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
