import type { Problem } from './problems.ts'
import { environmentName, type SettingKey } from './settings.ts'

/** A setting that means nothing without another one. */
export type Need = readonly [SettingKey, SettingKey]

/** @param sourceOf Where a setting was given, if it was. */
export function needProblems(needs: readonly Need[], sourceOf: (key: SettingKey) => string | undefined): Problem[] {
  return needs.flatMap(([key, other]) => {
    const source = sourceOf(key)
    if (source === undefined || sourceOf(other) !== undefined) return []
    return [{ source, text: `needs ${environmentName(other)} beside it` }]
  })
}
