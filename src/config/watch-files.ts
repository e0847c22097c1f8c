import { watch } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Editors write a file in several steps, and a certificate comes with its key. */
const SETTLE_MS = 100

export interface FileWatch extends Disposable {
  /** What may have changed so far is known. */
  settle(): void
}

/**
 * Calls `touched` a moment after one of the files may have changed. Watches the directories, because editors and mounted volumes
 * replace a file instead of writing to it.
 */
export function watchFiles(files: readonly string[], touched: () => void, onError: (error: Error) => void): FileWatch {
  let timer: NodeJS.Timeout | undefined
  const settle = (): void => clearTimeout(timer)
  const watchers = [...new Set(files.map((file) => dirname(file)))].map((directory) => {
    const names = files.filter((file) => dirname(file) === directory).map((file) => basename(file))
    const watcher = watch(directory, { persistent: false }, (_event, changed) => {
      if (changed !== null && !concerns(changed, names)) return
      settle()
      timer = setTimeout(touched, SETTLE_MS).unref()
    })
    return watcher.on('error', onError)
  })
  return {
    settle,
    [Symbol.dispose]() {
      settle()
      for (const watcher of watchers) watcher.close()
    },
  }
}

/** Kubernetes swaps a directory named `..data` behind a link instead of touching the file. */
function concerns(changed: string, names: readonly string[]): boolean {
  return names.includes(changed) || changed.startsWith('..')
}
