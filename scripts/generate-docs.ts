// Writes the pages that are made from tables in the source. Tests compare the files with the tables.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { environmentExample, settingsPage } from '../src/config/settings-docs.ts'

const pages: Record<string, string> = {
  'docs/reference/settings.md': settingsPage(),
  '.env.example': environmentExample(),
}

for (const [path, text] of Object.entries(pages)) {
  const file = new URL(`../${path}`, import.meta.url)
  mkdirSync(dirname(file.pathname), { recursive: true })
  writeFileSync(file, text)
  process.stdout.write(`${path}\n`)
}
