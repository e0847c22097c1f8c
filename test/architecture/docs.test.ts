import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOMS } from './room-table.ts'

const ROOT = join(import.meta.dirname, '../..')

const pages = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...['docs', 'src', 'examples', 'bench'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.md') && !path.includes('node_modules'))
      .map((path) => `${folder}/${path}`),
  ),
].map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))

/** Decisions tell of what was; the others tell of what is. */
const present = pages.filter(({ path }) => !path.startsWith('docs/decisions/'))

test('R261: every page that there is was read', () => {
  expect(pages.length).toBeGreaterThan(25)
})

test('R261: links in the documentation lead somewhere', () => {
  const broken = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
      .filter(([, target = '']) => !existsSync(join(ROOT, dirname(path), target)))
      .map(([, target]) => `${path}: ${target}`),
  )
  expect(broken).toEqual([])
})

test('R261: source files that the documentation names are there', () => {
  const rooms = Object.keys(ROOMS).join('|')
  const named = present.flatMap(({ path, text }) =>
    [...text.matchAll(new RegExp(`(?<![\\w/-])(?:src/)?((?:${rooms})/[\\w./-]+\\.ts)\\b`, 'g'))].map(
      ([, file = '']) => [path, file] as const,
    ),
  )
  expect(named.filter(([, file]) => !existsSync(join(ROOT, 'src', file)))).toEqual([])
  expect(named.length).toBeGreaterThan(15)
})

/** The files of a call, in the order in which a page shows them. */
function seven(path: string): (string | undefined)[] {
  const text = readFileSync(join(ROOT, path), 'utf8').split('tool call in seven files')[1] ?? ''
  const files = [...text.matchAll(/(?<![\w/])((?:mcp|gateway|upstream)\/[\w-]+\.ts)/g)].map(([, file]) => file)
  return files.slice(0, 6)
}

test('R261: the seven files of a call are the same in README.md and src/README.md', () => {
  expect(seven('README.md')).toEqual(seven('src/README.md'))
  expect(seven('README.md')).toHaveLength(6)
})

test('R261: npm scripts that the documentation names exist', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const named = present.flatMap(({ text }) =>
    [...text.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name = '']) => name),
  )
  expect([...new Set(named)].filter((name) => !(name in scripts))).toEqual([])
  expect(named.length).toBeGreaterThan(10)
})
