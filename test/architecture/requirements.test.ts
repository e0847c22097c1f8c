import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { REQUIREMENTS, type Requirement } from '../requirements.ts'
import { compareCitations, type TestFile } from './citations.ts'

const ROOT = join(import.meta.dirname, '../..')

/** Fewer test files than this: the gate looked in the wrong place. */
const TEST_FILES_MIN = 5

describe('the requirements', () => {
  const files = readTests()
  const report = compareCitations(files, REQUIREMENTS)

  test('are compared with the tests that exist', () => {
    expect(files.length).toBeGreaterThanOrEqual(TEST_FILES_MIN)
    expect(new Set(REQUIREMENTS.map(({ id }) => id)).size).toBe(REQUIREMENTS.length)
  })

  test('that are owned now are each cited by a test', () => {
    console.log(`cited by no test yet, to come later: ${report.waiting.map(({ id }) => id).join(' ')}`)
    expect(report.unproven.map(({ id, text }) => `${id} ${text}`)).toEqual([])
  })

  test('are the only ids that tests cite', () => {
    expect(report.unknown).toEqual([])
  })
})

describe('the gate goes red', () => {
  const requirements: Requirement[] = [
    { id: 'R001', text: 'one', owner: 'this issue' },
    { id: 'R002', text: 'two', owner: 'this issue' },
    { id: 'R003', text: 'three', owner: 'later' },
  ]
  const citing = (text: string) => compareCitations([{ path: 'a.test.ts', text }], requirements)

  test('when nobody cites an owned requirement', () => {
    expect(citing("test('does it (R001)')").unproven.map(({ id }) => id)).toEqual(['R002'])
  })

  test('when a test cites what is no requirement', () => {
    expect(citing('R001 R002 R004').unknown).toEqual(['a.test.ts: R004'])
  })

  test('but not when a range or a later requirement covers it', () => {
    expect(citing('R001–R003')).toEqual({ unproven: [], waiting: [], unknown: [] })
    expect(citing('R001, R002').waiting.map(({ id }) => id)).toEqual(['R003'])
  })
})

/** All test files but this one, whose ids are examples. */
function readTests(): TestFile[] {
  return ['src', 'test'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.test.ts') && !path.endsWith('requirements.test.ts'))
      .map((path) => ({ path: `${folder}/${path}`, text: readFileSync(join(ROOT, folder, path), 'utf8') })),
  )
}
