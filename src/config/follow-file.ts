import { messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import type { Config, DynamicConfig } from './config.ts'
import { watchConfig, type ConfigWatch } from './reload.ts'

/** Applies the config file whenever it changes; what cannot be used is logged and changes nothing. */
export function followFile(
  config: Pick<Config, 'file' | 'toolTimeoutMs'>,
  apply: (dynamic: DynamicConfig) => Promise<void>,
  log: Logger,
): ConfigWatch {
  const rejected = (error: unknown): void => log.error({ error: messageOf(error) }, 'config file rejected')
  const changed = (dynamic: DynamicConfig, needRestart: readonly string[]): void => {
    apply(dynamic).then(() => log.info({ needRestart }, 'config file applied'), rejected)
  }
  return watchConfig(config, changed, rejected)
}
