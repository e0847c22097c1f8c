import { AppError } from '#kernel/errors'

/** One answer for all that can be wrong with a credential: which check failed helps only attackers. The reason is for the log. */
export function unauthenticated(reason: string): AppError {
  const cause = new Error(reason)
  return new AppError('authentication_error', 'The credential is missing, wrong or no longer valid', { cause })
}
