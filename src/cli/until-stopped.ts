import { isatty } from 'node:tty'
import { hasTerminal } from './io.ts'

const STOP = ['SIGINT', 'SIGTERM'] as const
const PARENT_CHECK_MS = 500
const TERMINAL_CHECK_MS = 1000

interface Asked {
  reload(): void
}

interface Life {
  /** npm passes SIGTERM to its shell, and the shell to nobody: who was started by npm ends when that shell has. */
  readonly endsWithParent: boolean
}

/**
 * Resolves at the first signal that asks to stop, or when the terminal is closed; another SIGHUP reads the config file
 * again. A second signal to stop ends the process at once, and its children with it.
 */
export function untilStopped(app: Asked, { endsWithParent }: Life): Promise<void> {
  const hadTerminal = isatty(0)
  return new Promise((resolve) => {
    for (const signal of STOP) {
      process.once(signal, () => {
        for (const again of STOP) process.once(again, () => process.exit(130))
        resolve()
      })
    }
    process.on('SIGHUP', () => {
      if (hadTerminal && !hasTerminal()) return resolve()
      app.reload()
      // The signal can be faster than the end of the terminal that it tells of.
      if (hadTerminal) setTimeout(() => hasTerminal() || resolve(), TERMINAL_CHECK_MS).unref()
    })
    if (endsWithParent) whenOrphaned(resolve)
  })
}

function whenOrphaned(stop: () => void): void {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    stop()
  }, PARENT_CHECK_MS)
  watch.unref()
}
