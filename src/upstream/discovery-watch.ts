import { watch, type FSWatcher } from 'node:fs'
import { basename, dirname } from 'node:path'
import { AppError, messageOf } from '#kernel/errors'
import type { FindOptions } from './discovery.ts'
import type { DiscoverySource, FoundServer } from './found-server.ts'

export interface SourceEvents {
  /** All that a source has now, at first and whenever it differs. Told again at the next look when it rejects. */
  everyFound(found: readonly FoundServer[], source: DiscoverySource): void | Promise<void>
  /** A look failed, once a reason: what was found before stays. */
  onError(error: unknown, source: DiscoverySource): void
}

type Find = (source: DiscoverySource, options: FindOptions) => Promise<FoundServer[]>

/** Editors write a file in several steps. */
const SETTLE_MS = 100
const PERIOD_MS: Readonly<Record<DiscoverySource['kind'], number>> = {
  // Changes are told at once; this is for file systems that tell none.
  file: 30_000,
  network: 60_000,
  registry: 60 * 60_000,
}

/** Looks at one source again and again, never twice at once, until it is disposed. */
export function watchSource(source: DiscoverySource, find: Find, events: SourceEvents): Disposable {
  const ending = new AbortController()
  let last: string | undefined
  let lastError: string | undefined
  const look = async (): Promise<void> => {
    try {
      const found = await findOrNothing(source, find, ending.signal)
      const text = JSON.stringify(found)
      lastError = undefined
      if (ending.signal.aborted || text === last) return
      await events.everyFound(found, source)
      last = text
    } catch (error) {
      if (ending.signal.aborted || messageOf(error) === lastError) return
      lastError = messageOf(error)
      events.onError(error, source)
    }
  }
  const rounds = repeat(look, PERIOD_MS[source.kind])
  const watcher =
    source.kind === 'file' ? watchPath(source.path, rounds.hurry, (error) => events.onError(error, source)) : undefined
  return {
    [Symbol.dispose]() {
      ending.abort()
      rounds[Symbol.dispose]()
      watcher?.close()
    },
  }
}

/** A watched file that is gone names no servers; asked for by hand it is an error. */
async function findOrNothing(source: DiscoverySource, find: Find, signal: AbortSignal): Promise<FoundServer[]> {
  try {
    return await find(source, { isConfigured: true, signal })
  } catch (error) {
    if (source.kind === 'file' && error instanceof AppError && error.code === 'not_found') return []
    throw error
  }
}

interface Rounds extends Disposable {
  /** The next round begins soon. */
  hurry(): void
}

/** Runs now and `periodMs` after the end of each round. `round` never rejects. */
function repeat(round: () => Promise<void>, periodMs: number): Rounds {
  let timer: NodeJS.Timeout | undefined
  let isRunning = false
  let isHurried = false
  let isOver = false
  const plan = (ms: number): void => {
    clearTimeout(timer)
    if (!isOver) timer = setTimeout(() => void run(), ms).unref()
  }
  const run = async (): Promise<void> => {
    isRunning = true
    isHurried = false
    await round()
    isRunning = false
    plan(isHurried ? SETTLE_MS : periodMs)
  }
  void run()
  return {
    hurry() {
      isHurried = true
      if (!isRunning) plan(SETTLE_MS)
    },
    [Symbol.dispose]() {
      isOver = true
      clearTimeout(timer)
    },
  }
}

/** Watches a directory itself, and a file through its directory: files are replaced more often than written to. */
function watchPath(path: string, changed: () => void, onError: (error: unknown) => void): { close(): void } {
  const watchers: FSWatcher[] = []
  const open = (directory: string, concerns: (name: string) => boolean): void => {
    try {
      const watcher = watch(directory, { persistent: false }, (_event, name) => {
        if (name === null || concerns(name)) changed()
      })
      watchers.push(watcher.on('error', onError))
    } catch {
      // The directory is not there (yet), or the path is a file: the other watch or the slow look sees to it.
    }
  }
  // Kubernetes swaps a directory named `..data` behind a link instead of touching the file.
  open(dirname(path), (name) => name === basename(path) || name.startsWith('..'))
  open(path, () => true)
  return {
    close() {
      for (const watcher of watchers) watcher.close()
    },
  }
}
