import { readFileSync } from 'node:fs'
import { messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import type { Config, DynamicConfig } from './config.ts'
import { reloadFile, type Reloaded } from './load.ts'
import { environmentName } from './settings.ts'
import { watchFiles } from './watch-files.ts'

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

/** Watches the config file. A file that cannot be used is reported to `onError` and changes nothing. */
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

  const reload = (): void => {
    watcher.settle()
    lastText = textOf(file)
    const reloaded = attempt(() => reloadFile(file, toolTimeoutMs), onError)
    if (reloaded) onDynamic(reloaded.dynamic, changedSettings(first, reloaded.settings))
  }
  const reloadIfChanged = (): void => {
    if (textOf(file) !== lastText) reload()
  }
  const watcher = watchFiles([file], reloadIfChanged, onError)
  return { reload, [Symbol.dispose]: () => watcher[Symbol.dispose]() }
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
