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
  readonly prefix: string
}

/** Two things wanted one name: who kept it, and what the other is called now. */
export interface NameCollision {
  readonly kind: NamedKind
  readonly wanted: string
  readonly upstreamId: string
  readonly originalName: string
  readonly given: string
}

/**
 * The table between original and exposed names. A name that was given stays given over restarts;
 * nobody ever parses an exposed name to learn where it leads.
 */
export interface NameTable {
  /** The exposed name of each wish, in the order of the wishes. */
  assign(wishes: readonly NameWish[]): string[]
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

  const keep = (row: ExposedName): void => {
    given.set(keyOf(row), row)
    taken.set(`${row.kind} ${row.exposedName}`, keyOf(row))
  }
  const isFree = (wish: NameWish, name: string): boolean =>
    (taken.get(`${wish.kind} ${name}`) ?? keyOf(wish)) === keyOf(wish)

  const give = (wish: NameWish, wanted: string): string => {
    const free = isFree(wish, wanted)
    const exposedName = free ? wanted : withHash(wanted, keyOf(wish))
    if (!free) collisions.set(keyOf(wish), { ...wish, wanted, given: exposedName })
    const row = { kind: wish.kind, upstreamId: wish.upstreamId, originalName: wish.originalName, exposedName }
    keep(row)
    fresh.push(row)
    return exposedName
  }

  for (const row of known) keep(row)
  return {
    assign(wishes) {
      return wishes.map((wish) => {
        const wanted = wantedName(wish)
        const before = given.get(keyOf(wish))?.exposedName
        if (before === wanted || before === withHash(wanted, keyOf(wish))) return before
        return give(wish, wanted)
      })
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

/** The name a thing would have if it were alone: `prefix__original`, legal and at most 64 characters. */
export function wantedName(wish: Pick<NameWish, 'prefix' | 'originalName'>): string {
  if (wish.prefix === '') return wish.originalName
  const plain = `${wish.prefix}${SEPARATOR}${wish.originalName}`
  const legal = plain.replaceAll(/[^A-Za-z0-9_-]/g, '_')
  return legal === plain && plain.length <= NAME_LENGTH_MAX ? plain : withHash(legal, plain)
}

function withHash(name: string, source: string): string {
  const hash = digest(source).replaceAll(/[^A-Za-z0-9]/g, '0').slice(0, HASH_LENGTH)
  return `${name.slice(0, NAME_LENGTH_MAX - HASH_LENGTH - 1)}_${hash}`
}

function keyOf(row: Pick<ExposedName, 'kind' | 'upstreamId' | 'originalName'>): string {
  return `${row.kind} ${row.upstreamId} ${row.originalName}`
}
