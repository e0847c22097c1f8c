import { AppError } from '#kernel/errors'

/** Reads what this room wrote into a `body` column. Rejects what somebody else damaged there, naming the table. */
export function readBody(table: string, body: string): unknown {
  try {
    return JSON.parse(body) as unknown
  } catch (thrown) {
    throw new AppError('internal_error', `The table ${table} of the database holds a damaged row`, { cause: thrown })
  }
}
