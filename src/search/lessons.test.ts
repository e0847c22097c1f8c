import { expect, test } from 'vitest'
import { openLessons, type LearnedQuery, type LessonStore } from './lessons.ts'
import { createSearchTrail } from './search-trail.ts'

const DAY_MS = 86_400_000
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** A store as the databases are one; storage has the contract suite. */
function memoryStore(): LessonStore & { readonly kept: Map<string, LearnedQuery> } {
  const kept = new Map<string, LearnedQuery>()
  return {
    kept,
    list: () => Promise.resolve([...kept.values()].toSorted((a, b) => b.learnedAt - a.learnedAt)),
    put: (lesson) => Promise.resolve(void kept.set(lesson.id, lesson)),
    delete: (ids) => Promise.resolve(ids.forEach((id) => kept.delete(id))),
  }
}

async function open(store = memoryStore()) {
  let time = 1_800_000_000_000
  const lessons = await openLessons({ store, log: quiet, now: () => (time += 1) })
  const texts = (toolId = 't') => lessons.of(toolId).map(({ text }) => text)
  return { store, lessons, texts, later: (ms: number) => void (time += ms), now: () => time }
}

test('one principal has a third of what a tool can learn, and cannot push out what others taught', async () => {
  const { lessons, texts, store } = await open()
  for (const other of ['ann', 'bob']) lessons.teach('t', `of ${other}`, other)
  for (let index = 0; index < 100; index += 1) lessons.teach('t', `flood ${index}`, 'eve')
  expect(texts().filter((text) => text.startsWith('flood'))).toEqual(['flood 99', 'flood 98', 'flood 97', 'flood 96'])
  expect(texts()).toEqual(expect.arrayContaining(['of ann', 'of bob']))
  expect(store.kept.size).toBe(6)
})

test('a tool learns so much and no more: whoever taught most loses first', async () => {
  const { lessons, texts } = await open()
  lessons.teach('t', 'rare', 'ann')
  for (const principal of ['b', 'c', 'd', 'e']) {
    for (let index = 0; index < 4; index += 1) lessons.teach('t', `${principal} ${index}`, principal)
  }
  expect(texts()).toHaveLength(12)
  expect(texts()).toContain('rare')
})

test('a lesson weighs half after ninety days and nothing in the end', async () => {
  const { lessons, later } = await open()
  lessons.teach('t', 'old', 'ann')
  later(90 * DAY_MS)
  expect(lessons.of('t')[0]?.weight).toBeCloseTo(0.5, 6)
  later(360 * DAY_MS)
  expect(lessons.of('t')).toEqual([])
})

test('the same lesson twice is one, and it is fresh again', async () => {
  const { lessons, later } = await open()
  lessons.teach('t', 'send mail', 'ann')
  later(90 * DAY_MS)
  lessons.teach('t', ' send mail ', 'ann')
  expect(lessons.of('t')).toEqual([{ text: 'send mail', weight: expect.closeTo(1, 6) as number }])
})

test('lessons survive a restart, until they are forgotten', async () => {
  const { store, lessons } = await open()
  lessons.teach('t', 'send mail', 'ann')
  lessons.teach('u', 'read mail', 'ann')
  const again = await open(store)
  expect(again.texts()).toEqual(['send mail'])
  expect(await again.lessons.forget('t')).toBe(1)
  expect([again.texts('t'), again.texts('u')]).toEqual([[], ['read mail']])
  expect(await again.lessons.forget()).toBe(1)
  expect(store.kept.size).toBe(0)
})

test('a call teaches the last search that found the tool, once, and none that is older than ten minutes', async () => {
  const { lessons, texts, later, now } = await open()
  const trail = createSearchTrail(lessons, now)
  trail.called('ann', 't')
  trail.searched('ann', 'first', ['t', 'u'])
  trail.searched('ann', 'second', ['t'])
  trail.searched('ann', 'third', ['u'])
  trail.called('bob', 't')
  expect(texts()).toEqual([])
  trail.called('ann', 't')
  expect(texts()).toEqual(['second'])
  later(11 * 60_000)
  trail.called('ann', 't')
  expect(texts()).toEqual(['second'])
})
