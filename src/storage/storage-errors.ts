import { AppError } from '#kernel/errors'

const POSTGRES_UNIQUE = '23505'
const SQLITE_UNIQUE = new Set([1555, 2067])

/**
 * Wraps every method of a port: a driver's failure rejects with `unavailable`, the driver's error as cause.
 * AppErrors pass, and so do the language's own errors, which are our bugs.
 */
export function guarded<T extends object>(port: T): T {
  const entries = Object.entries(port).map(([name, method]) => [name, guardedMethod(method as Method)])
  return Object.fromEntries(entries) as T
}

type Method = (...args: unknown[]) => Promise<unknown>

function guardedMethod(method: Method): Method {
  return async (...args) => {
    try {
      return await method(...args)
    } catch (thrown) {
      throw storageError(thrown)
    }
  }
}

function storageError(thrown: unknown): unknown {
  if (thrown instanceof AppError || isBug(thrown)) return thrown
  return new AppError('unavailable', 'The storage does not answer', { cause: thrown })
}

function isBug(thrown: unknown): boolean {
  return thrown instanceof TypeError || thrown instanceof RangeError || thrown instanceof ReferenceError
}

/** True when a row was refused because another has the same id or name. */
export function isUniqueViolation(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false
  const { code, errcode } = thrown as { code?: unknown; errcode?: unknown }
  return code === POSTGRES_UNIQUE || (typeof errcode === 'number' && SQLITE_UNIQUE.has(errcode))
}
