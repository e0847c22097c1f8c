import { readFileSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import { messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import type { Config, DynamicConfig } from './config.ts'
import { reloadFile, type Reloaded } from './load.ts'
import { environmentName } from './settings.ts'

/** Editors write a file in several steps. */
const SETTLE_MS = 100

/** Called with the new dynamic part, and with the settings whose change in the file needs a restart. */
export type DynamicListener = (dynamic: DynamicConfig, needRestart: readonly string[]) => void

/** Watches the config file and puts its dynamic part in force; the log says what became of it. */
export function followConfig(
  config: Pick<Config, 'file' | 'toolTimeoutMs'>,
  apply: (dynamic: DynamicConfig) => Promise<void>,
  log: Logger,
): ConfigWatch {
  const rejected = (error: unknown): void => log.error({ error: messageOf(error) }, 'config file rejected')
  return watchConfig(
    config,
    (dynamic, needRestart) => {
      apply(dynamic).then(() => log.info({ needRestart }, 'config file applied'), rejected)
    },
    rejected,
  )
}

export interface ConfigWatch {
  /** Reads the file now, changed or not: for SIGHUP. */
  reload(): void
  [Symbol.dispose](): void
}

/**
 * Watches the config file. A file that cannot be used is reported to `onError` and changes nothing.
 * Watches the directory, because editors and mounted volumes replace the file instead of writing to it.
 */
export function watchConfig(
  config: Pick<Config, 'file' | 'toolTimeoutMs'>,
  onDynamic: DynamicListener,
  onError: (error: Error) => void,
): ConfigWatch {
  const { file, toolTimeoutMs } = config
  if (file === undefined) return { reload: () => undefined, [Symbol.dispose]: () => undefined }
  const first =
    attempt(
      () => reloadFile(file, toolTimeoutMs).settings,
      () => undefined,
    ) ?? {}
  let lastText = textOf(file)
  let timer: NodeJS.Timeout | undefined

  const reload = (): void => {
    clearTimeout(timer)
    lastText = textOf(file)
    const reloaded = attempt(() => reloadFile(file, toolTimeoutMs), onError)
    if (reloaded) onDynamic(reloaded.dynamic, changedSettings(first, reloaded.settings))
  }
  const reloadIfChanged = (): void => {
    if (textOf(file) !== lastText) reload()
  }
  const watcher = watch(dirname(file), { persistent: false }, (_event, changed) => {
    if (changed !== null && !concerns(changed, file)) return
    clearTimeout(timer)
    timer = setTimeout(reloadIfChanged, SETTLE_MS).unref()
  })
  watcher.on('error', onError)
  return {
    reload,
    [Symbol.dispose]() {
      clearTimeout(timer)
      watcher.close()
    },
  }
}

/** Kubernetes swaps a directory named `..data` behind a link instead of touching the file. */
function concerns(changed: string, file: string): boolean {
  return changed === basename(file) || changed.startsWith('..')
}

function changedSettings(before: Reloaded['settings'], after: Reloaded['settings']): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys].filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key])).map(environmentName)
}

function textOf(file: string): string | undefined {
  return attempt(
    () => readFileSync(file, 'utf8'),
    () => undefined,
  )
}

function attempt<T>(action: () => T, onError: (error: Error) => void): T | undefined {
  try {
    return action()
  } catch (error) {
    onError(error instanceof Error ? error : new Error(String(error)))
    return undefined
  }
}
