import type { CancelSignal } from '#kernel/cancellation'
import { AppError } from '#kernel/errors'

/** What `work` comes to, or the signal's reason when that is earlier. The work goes on: others may wait for it, too. */
export function unlessAborted<T>(work: Promise<T>, signal: CancelSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const giveUp = (): void => reject(reasonOf(signal))
  work.then(resolve, reject)
  if (signal.aborted) giveUp()
  signal.addEventListener('abort', giveUp)
  return promise.finally(() => signal.removeEventListener('abort', giveUp))
}

/** Why a signal was aborted, in the words of the catalogue. */
export function reasonOf(signal: CancelSignal | undefined): AppError {
  const reason: unknown = signal?.reason
  return reason instanceof AppError ? reason : new AppError('cancelled', 'The caller gave up')
}
