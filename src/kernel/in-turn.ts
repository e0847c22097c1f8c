/**
 * Runs the work one at a time; who asks while it runs has it run once more. Resolves when all that was asked for is done; where
 * the work fails, the rest waits to be asked for again.
 */
export function inTurn(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  let isWanted = false
  const run = async (): Promise<void> => {
    try {
      do {
        isWanted = false
        await work()
      } while (isWanted)
    } finally {
      running = undefined
    }
  }
  return () => {
    isWanted = true
    return (running ??= run())
  }
}
