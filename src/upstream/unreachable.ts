import { AppError } from '#kernel/errors'

/** Nothing of the call has reached the tool. */
export function isSafeToRepeat(error: unknown): error is AppError {
  return error instanceof AppError && error.details['dispatched'] === false
}

/** Nobody was there to take the request: the server is away, whatever its session says. */
export function isUnreachable(error: unknown): error is AppError {
  return isSafeToRepeat(error) && error.code === 'upstream_unavailable' && error.details['status'] === undefined
}
