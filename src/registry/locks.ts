import { AppError } from '#kernel/errors'
import type { Connection, HttpToolRecord, Locked, UpstreamRecord } from './records.ts'

interface Lockable extends Partial<Pick<UpstreamRecord, 'connection'>>, Partial<Pick<HttpToolRecord, 'endpoint'>> {
  readonly name: string
  readonly headers?: Readonly<Record<string, string>>
  readonly locked?: Locked
}

/**
 * A changed record: one that was told anew how it is reached is locked no more. Throws `conflict` for secrets without that:
 * nobody knows for which place they are.
 */
export function settleLock<T extends Lockable>(record: T): T {
  if (!record.locked) return record
  const { connection, endpoint, headers = {} } = record
  const isReached = connection ? !isUnreadable(connection) : endpoint !== ''
  if (isReached) {
    const { locked: _locked, ...open } = record
    return open as T
  }
  const given = connection?.kind === 'stdio' ? { ...connection.env, ...headers } : headers
  if (Object.keys(given).length === 0) return record
  throw new AppError('conflict', `${record.name} cannot be changed in part: ${record.locked.reason}`)
}

/** What the storage leaves in place of what it cannot open. */
function isUnreadable(connection: Connection): boolean {
  return connection.kind === 'stdio' && connection.command === ''
}
