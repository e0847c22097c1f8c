import type { Kept } from './kept-values.ts'

/** Texts that several gateways keep together. It may be away at any time: then what it is asked rejects. */
export interface SharedTexts {
  get(key: string): Promise<string | undefined>
  set(key: string, text: string, ttlMs: number): Promise<void>
  /** Removes what is selected; answers the keys that there were. */
  remove(isSelected: (key: string) => boolean): Promise<readonly string[]>
  forget(keys: readonly string[]): Promise<void>
  /** Whether it answers now. */
  readonly isUp: boolean
}

/** What a second level counted since the start. */
export interface SecondLevelStats {
  readonly isUp: boolean
  readonly hits: number
  readonly sets: number
  /** What it was asked in vain, because it was away or held what nobody can read. */
  readonly failures: number
}

/** Values behind those in memory, where other gateways find them, too. Never rejects: without it each goes on for itself. */
export interface SecondLevel<T> {
  get(key: string): Promise<Kept<T> | undefined>
  put(key: string, kept: Kept<T>): void
  /** Undefined when nobody knows whether they are gone. */
  remove(isSelected: (key: string) => boolean): Promise<readonly string[] | undefined>
  forget(keys: readonly string[]): void
  stats(): SecondLevelStats
}

export interface SecondLevelDeps<T> {
  readonly texts: SharedTexts
  write(kept: Kept<T>): string
  /** Throws for what `write` did not make. */
  read(text: string): Kept<T>
  /** Epoch milliseconds. */
  now(): number
}

export function createSecondLevel<T>({ texts, write, read, now }: SecondLevelDeps<T>): SecondLevel<T> {
  const counts = { hits: 0, sets: 0, failures: 0 }
  /** Who asks one that is away only waits. */
  const asked = async <R>(ask: () => Promise<R>): Promise<R | undefined> => {
    try {
      if (texts.isUp) return await ask()
    } catch {
      counts.failures += 1
    }
    return undefined
  }
  return {
    get: (key) =>
      asked(async () => {
        const text = await texts.get(key)
        const kept = text === undefined ? undefined : read(text)
        if (!kept || now() >= kept.freshUntil) return undefined
        counts.hits += 1
        return kept
      }),
    put(key, kept) {
      void asked(async () => {
        await texts.set(key, write(kept), kept.spareUntil - now())
        counts.sets += 1
      })
    },
    remove: (isSelected) => asked(() => texts.remove(isSelected)),
    forget(keys) {
      if (keys.length > 0) void asked(() => texts.forget(keys))
    },
    stats: () => ({ isUp: texts.isUp, ...counts }),
  }
}
