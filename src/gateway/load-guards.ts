import { stat } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { AppError, messageOf } from '#kernel/errors'
import type { Guard, GuardHooks } from './interceptors/guards.ts'

/** A guard as the operator's file has it: its own code named by a path. */
export type GuardEntry = Omit<Guard, keyof GuardHooks> & { readonly module?: string }

/** Loads the code behind guards. Rejects with `validation_error` naming the module that cannot be used. */
export function loadGuards(entries: readonly GuardEntry[]): Promise<Guard[]> {
  return Promise.all(
    entries.map(async ({ module, ...guard }) =>
      module === undefined ? guard : { ...guard, ...(await hooksOf(module)) },
    ),
  )
}

async function hooksOf(path: string): Promise<GuardHooks> {
  const { before, after } = await importModule(path)
  if (before === undefined && after === undefined) throw unusable(path, 'it exports neither "before" nor "after"')
  return { ...(before ? { before } : {}), ...(after ? { after } : {}) }
}

async function importModule(path: string): Promise<GuardHooks> {
  try {
    // Node keeps a module for ever under its address: an edited file needs another one.
    const { mtimeMs } = await stat(path)
    return (await import(`${pathToFileURL(path).href}?edited=${mtimeMs}`)) as GuardHooks
  } catch (error) {
    throw unusable(path, messageOf(error))
  }
}

function unusable(path: string, reason: string): AppError {
  return new AppError('validation_error', `The guard module ${path} cannot be used: ${reason}`)
}
