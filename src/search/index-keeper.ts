import { messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import { readIndex, writeIndex, type KeptIndex } from './index-file.ts'

/** After a change others follow: many servers connect at the same time. */
const CALM_MS = 5000

/** Keeps the index in a file. What cannot be kept is indexed again, so a failure only costs time. */
export interface IndexKeeper extends AsyncDisposable {
  read(): Promise<KeptIndex | undefined>
  /** Writes the file when nothing else comes for some seconds, or at the end. */
  keep(written: () => Promise<KeptIndex | undefined>): void
}

export function createIndexKeeper(file: string, log: Logger): IndexKeeper {
  let timer: NodeJS.Timeout | undefined
  let waiting: (() => Promise<KeptIndex | undefined>) | undefined
  let writing: Promise<void> = Promise.resolve()
  const failed = (error: unknown): undefined => {
    log.warn({ file, error: messageOf(error) }, 'search index could not be kept')
    return undefined
  }
  const write = (): void => {
    clearTimeout(timer)
    const written = waiting
    waiting = undefined
    if (!written) return
    writing = writing
      .then(written)
      .then((index) => index && writeIndex(file, index))
      .catch(failed)
  }
  return {
    read: () => readIndex(file).catch(failed),
    keep(written) {
      waiting = written
      clearTimeout(timer)
      timer = setTimeout(write, CALM_MS).unref()
    },
    async [Symbol.asyncDispose]() {
      write()
      await writing
    },
  }
}
