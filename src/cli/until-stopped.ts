import { isatty } from 'node:tty'
import { hasTerminal } from './io.ts'

const STOP = ['SIGINT', 'SIGTERM'] as const
const PARENT_CHECK_MS = 500

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
    process.on('SIGHUP', () => (hadTerminal && !hasTerminal() ? resolve() : app.reload()))
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
