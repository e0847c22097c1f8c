import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { callPath } from '#gateway/call-path'

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/architecture/call-path.md'), 'utf8')

/** The path as calls take it; `dispatch` is what it leads to. */
const links = [...callPath({} as Parameters<typeof callPath>[0]).map(({ name }) => name), 'dispatch']

test('R131: the table of docs/architecture/call-path.md has exactly the links of the call path, in their order', () => {
  const rows = [...PAGE.matchAll(/^\| ([a-z-]+) +\|/gm)].map(([, name]) => name)
  expect(rows.filter((name) => name !== 'link' && !name?.startsWith('--'))).toEqual(links)
  expect(links.length).toBeGreaterThan(5)
})

test('R131: the drawing of docs/architecture/call-path.md shows the same links in the same order', () => {
  const drawing = PAGE.split('```')[1] ?? ''
  const stages = [...drawing.matchAll(/^ ([a-z]+(?:-[a-z]+)*) (?:[─ ]|$)/gm)].map(([, name]) => name)
  expect(stages.filter((name) => name !== 'route')).toEqual(links)
})
