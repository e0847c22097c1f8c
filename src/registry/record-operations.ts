import type { ErrorCode } from '#kernel/error-codes'
import { AppError } from '#kernel/errors'
import type { Origin } from './records.ts'
import type { RecordOperations } from './registry-api.ts'
import type { RecordStore } from './stores.ts'

interface AnyRecord {
  readonly id: string
  readonly name: string
  readonly origin: Origin
  readonly fileDigest?: string
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
  const get = (key: string): T => {
    const record = find(key)
    if (record) return record
    throw new AppError(deps.missingCode, `Unknown ${deps.noun}: ${key}`, { details: { name: key } })
  }
  return {
    list: () => [...byId.values()],
    find,
    get,
    async register(draft, origin = 'api', fileDigest) {
      const now = deps.now()
      const base = { id: deps.newId(), origin, createdAt: now, updatedAt: now, ...(fileDigest ? { fileDigest } : {}) }
      const record = { ...draft, ...base } as unknown as T
      await deps.store.insert(record)
      byId.set(record.id, record)
      await deps.changed(undefined, record)
      return record
    },
    async update(key, change, fileDigest) {
      const before = get(key)
      const owner = fileDigest ? { fileDigest, origin: 'file' as const } : {}
      const after = { ...before, ...change, ...owner, updatedAt: deps.now() }
      await deps.store.update(after)
      byId.set(after.id, after)
      await deps.changed(before, after)
      return after
    },
    async remove(key, options) {
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
    },
  }
}
