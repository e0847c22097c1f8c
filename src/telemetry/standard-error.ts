import { write, writeSync } from 'node:fs'

const STDERR = 2
/** What is held for a reader that does not read; lines beyond it are lost. */
const UNREAD_CHARS_MAX = 8 * 1024 * 1024
const CHUNK_CHARS_MAX = 64 * 1024
const RETRY_MS = 100

/** Where log lines go: written behind those who log, in order. */
export interface LineSink {
  write(line: string): void
  /** Lines that were lost because nobody read. */
  lost(): number
}

/**
 * Standard error. A reader that has stopped reading costs lines, never a wait: neither while the program runs nor when it
 * ends.
 */
export function standardError(): LineSink {
  let lines: string[] = []
  let chars = 0
  let lost = 0
  let pending: Buffer | undefined
  let isWriting = false

  const take = (): Buffer | undefined => {
    if (lines.length === 0) return undefined
    let length = 0
    let count = 0
    while (count < lines.length && length < CHUNK_CHARS_MAX) length += lines[count++]?.length ?? 0
    const text = lines.slice(0, count).join('')
    lines = lines.slice(count)
    chars -= text.length
    return Buffer.from(text)
  }
  const next = (): void => {
    pending ??= take()
    if (!pending) return
    isWriting = true
    write(STDERR, pending, written)
  }
  const written = (error: NodeJS.ErrnoException | null, count: number): void => {
    isWriting = false
    if (error?.code === 'EAGAIN') {
      setTimeout(next, RETRY_MS).unref()
      return
    }
    // Whoever read has gone: there is nobody to tell.
    pending = error ? undefined : rest(pending, count)
    next()
  }
  process.once('exit', () => {
    // What is being written is not written twice.
    for (let last = isWriting ? take() : (pending ?? take()); last; last = take()) if (!isWritten(last)) return
  })
  return {
    write(line) {
      if (chars > UNREAD_CHARS_MAX) {
        lost += 1
        return
      }
      lines.push(line)
      chars += line.length
      if (!pending) next()
    },
    lost: () => lost,
  }
}

function rest(buffer: Buffer | undefined, count: number): Buffer | undefined {
  return buffer && count < buffer.length ? buffer.subarray(count) : undefined
}

function isWritten(buffer: Buffer): boolean {
  try {
    return writeSync(STDERR, buffer) === buffer.length
  } catch {
    return false
  }
}
