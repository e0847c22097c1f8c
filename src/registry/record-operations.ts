import type { ErrorCode } from '#kernel/error-codes'
import { AppError } from '#kernel/errors'
import { settleLock } from './locks.ts'
import type { Locked, Origin } from './records.ts'
import type { RecordOperations } from './registry-api.ts'
import type { RecordStore } from './stores.ts'

interface AnyRecord {
  readonly id: string
  readonly name: string
  readonly origin: Origin
  readonly fileDigest?: string
  readonly locked?: Locked
  readonly createdAt: number
  readonly updatedAt: number
}

interface OperationsDeps<T> {
  readonly store: RecordStore<T & AnyRecord>
  readonly records: readonly T[]
  /** What one is called in messages: `server`, `tool`, `namespace`. */
  readonly noun: string
  readonly missingCode: ErrorCode
  now(): number
  newId(): string
  /** Runs after the change is durable and before the operation resolves. */
  changed(before: T | undefined, after: T | undefined): Promise<void>
}

/** Write-through over a store: durable first, then in memory, then published. */
export function createRecordOperations<T extends AnyRecord, D extends { readonly name: string }>(
  deps: OperationsDeps<T>,
): RecordOperations<T, D> {
  const byId = new Map(deps.records.map((record) => [record.id, record]))
  const find = (key: string): T | undefined => byId.get(key) ?? byId.values().find((record) => record.name === key)
  const unknown = (key: string): AppError =>
    new AppError(deps.missingCode, `Unknown ${deps.noun}: ${key}`, { details: { name: key } })
  const get = (key: string): T => {
    const record = find(key)
    if (record) return record
    throw unknown(key)
  }
  const inTurn = createTurns()
  return {
    list: () => [...byId.values()],
    find,
    get,
    unknown,
    register: (draft, origin = 'api', fileDigest) =>
      inTurn(async () => {
        const now = deps.now()
        const base = { id: deps.newId(), origin, createdAt: now, updatedAt: now, ...(fileDigest ? { fileDigest } : {}) }
        const record = { ...draft, ...base } as unknown as T
        await deps.store.insert(record)
        byId.set(record.id, record)
        await deps.changed(undefined, record)
        return record
      }),
    update: (key, change, fileDigest) =>
      inTurn(async () => {
        const before = get(key)
        const kept = fileDigest ? identityOf(before) : before
        const owner = fileDigest ? { fileDigest, origin: 'file' as const } : movedBy(before, change)
        const after = settleLock({ ...kept, ...change, ...owner, updatedAt: deps.now() }) as unknown as T
        await deps.store.update(after)
        byId.set(after.id, after)
        await deps.changed(before, after)
        return after
      }),
    remove: (key, options) =>
      inTurn(async () => {
        const record = get(key)
        if (record.origin === 'file' && !options?.force) {
          throw new AppError(
            'conflict',
            `The ${deps.noun} ${record.name} is in the operator's file: remove it there, or disable it here`,
          )
        }
        await deps.store.delete(record.id)
        byId.delete(record.id)
        await deps.changed(record, undefined)
      }),
  }
}

/** What stays of a record when its file entry replaces it as a whole. */
function identityOf({
  id,
  name,
  origin,
  createdAt,
}: AnyRecord): Omit<AnyRecord, 'updatedAt' | 'fileDigest' | 'locked'> {
  return { id, name, origin, createdAt }
}

/** One change after the other: each sees what the one before it left. */
function createTurns(): <R>(work: () => Promise<R>) => Promise<R> {
  let last: Promise<unknown> = Promise.resolve()
  return function inTurn(work) {
    const result = last.then(work)
    last = result.catch(() => undefined)
    return result
  }
}

/** Where somebody else than the operator's file leads is not trusted as the file is. */
function movedBy(before: { readonly origin: Origin }, change: object): { origin?: Origin } {
  const isMoved = before.origin === 'file' && ('connection' in change || 'endpoint' in change)
  return isMoved ? { origin: 'api' } : {}
}
