/** What a probe has found is good for so long: whoever asks more often asks nobody. */
const GOOD_MS = 250
/** A probe that is silent for longer is not waited for by those who come later. */
const SILENT_MS = 1500

/** The same check, made once for all who ask at about the same time. */
export function sharedProbe(check: () => Promise<void>, now: () => number): () => Promise<void> {
  let last: { readonly startedAt: number; readonly outcome: Promise<void>; endedAt?: number } | undefined
  return function probe() {
    if (last && now() < (last.endedAt === undefined ? last.startedAt + SILENT_MS : last.endedAt + GOOD_MS))
      return last.outcome
    const next: NonNullable<typeof last> = { startedAt: now(), outcome: check() }
    const ended = (): void => {
      next.endedAt = now()
    }
    next.outcome.then(ended, ended)
    last = next
    return next.outcome
  }
}
