import { AppError } from '#kernel/errors'

/** The session ended before it took the call: a new one is there at once. */
export function isForgotten(error: unknown): error is AppError {
  return isUnsent(error) && error.code === 'upstream_session_lost'
}

/** The same failure, of a call of which nothing was sent. */
export function notSent(error: unknown): unknown {
  if (!(error instanceof AppError)) return error
  return new AppError(error.code, error.message, { details: { ...error.details, dispatched: false }, cause: error })
}

/** Nothing of the call has reached the tool. */
function isUnsent(error: unknown): error is AppError {
  return error instanceof AppError && error.details['dispatched'] === false
}

/** Nobody was there to take the request: the server is away, whatever its session says. */
export function isUnreachable(error: unknown): error is AppError {
  return isUnsent(error) && error.code === 'upstream_unavailable' && error.details['status'] === undefined
}
