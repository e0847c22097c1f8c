import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { environmentExample, settingsPage } from './settings-docs.ts'
import { environmentName, settingKeys, SETTINGS } from './settings.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

test.each([
  ['docs/reference/settings.md', settingsPage],
  ['.env.example', environmentExample],
])('%s says what the table of settings says; make it with: node scripts/generate-docs.ts', (path, text) => {
  expect(read(path)).toBe(text())
  for (const key of settingKeys()) expect(text()).toContain(environmentName(key))
})

test('every default can be read by its own setting', () => {
  for (const key of settingKeys()) {
    const { parse, fallback } = SETTINGS[key]
    if (fallback !== undefined) expect(() => parse(fallback)).not.toThrow()
  }
})
