import { setTimeout as delay } from 'node:timers/promises'

const PATIENCE_MS = 15_000
const LOOK_MS = 10

/** Waits until a condition holds; rejects with `what` when it does not in time. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  patienceMs: number = PATIENCE_MS,
): Promise<void> {
  const deadline = Date.now() + patienceMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not in ${patienceMs} ms: ${what}`)
    await delay(LOOK_MS)
  }
}
