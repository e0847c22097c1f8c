import { afterAll, expect, test } from 'vitest'
import { subjects, type Comparison } from '../support/lossless/cells.ts'
import { compareMetaCalls } from '../support/lossless/meta-cells.ts'
import { newDirectory } from '../support/test-app.ts'

const all: Comparison[] = []

afterAll(() => {
  const exchanges = all.reduce((sum, each) => sum + each.exchanges, 0)
  const differences = all.reduce((sum, each) => sum + each.differences.length, 0)
  console.log(`lossless by call_tool: ${exchanges} exchanges, ${differences} differences`)
})

/** Each script once: over HTTP where there is a choice. */
const chosen = subjects.filter(({ name }) =>
  /^(everything-http|filesystem|memory|fixture-http-.*|verbatim-.*)$/.test(name),
)

test.concurrent.for(chosen)('what $name says to call_tool arrives as from the tool itself (R111)', async (subject) => {
  await using root = await newDirectory()
  // Its resources come with its clients: what one door's client made is still told to the next.
  const doorsMax = subject.name === 'everything-http' ? 2 : undefined
  const comparison = await compareMetaCalls(subject, root.path, doorsMax)
  all.push(comparison)
  expect(comparison.exchanges).toBeGreaterThan(80)
  expect(comparison.differences.slice(0, 20)).toEqual([])
})
