import { isatty } from 'node:tty'
import { hasTerminal } from './io.ts'

const STOP = ['SIGINT', 'SIGTERM'] as const

/**
 * Resolves at the first signal that asks to stop, or when the terminal is closed; another SIGHUP reads the config file
 * again. A second signal to stop ends the process at once, and its children with it.
 */
export function untilStopped(app: { reload(): void }): Promise<void> {
  const hadTerminal = isatty(0)
  return new Promise((resolve) => {
    for (const signal of STOP) {
      process.once(signal, () => {
        for (const again of STOP) process.once(again, () => process.exit(130))
        resolve()
      })
    }
    process.on('SIGHUP', () => (hadTerminal && !hasTerminal() ? resolve() : app.reload()))
  })
}
