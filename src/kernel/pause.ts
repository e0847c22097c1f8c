import type { CancelSignal } from './cancellation.ts'

/** Resolves with true after a while, with false as soon as the signal aborts. */
export async function pause(ms: number, signal: CancelSignal): Promise<boolean> {
  if (signal.aborted) return false
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const abort = (): void => resolve(false)
  const timer = setTimeout(() => resolve(true), ms)
  signal.addEventListener('abort', abort)
  const isOver = await promise
  clearTimeout(timer)
  signal.removeEventListener('abort', abort)
  return isOver
}
