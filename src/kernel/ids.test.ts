import { expect, test } from 'vitest'
import { traceId, uuidv7 } from './ids.ts'

test('R252 ids are UUIDs of version 7 that carry their millisecond, sort by it and never repeat', () => {
  const times = [0, 1, 1_800_000_000_000, 2 ** 48 - 1]
  const ids = times.map((time) => uuidv7(time))
  for (const [index, id] of ids.entries()) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(times[index])
  }
  expect(ids.toSorted()).toEqual(ids)
  expect(new Set(Array.from({ length: 20_000 }, () => uuidv7(5))).size).toBe(20_000)
})

test('R252 an id stays what it was while others are made', () => {
  const first = uuidv7(7)
  const copy = first.slice()
  for (let made = 0; made < 1000; made += 1) uuidv7(8)
  expect(first).toBe(copy)
})

test('R252 trace ids are 32 digits, never the same', () => {
  const ids = Array.from({ length: 1000 }, traceId)
  for (const id of ids) expect(id).toMatch(/^(?!0{32})[0-9a-f]{32}$/)
  expect(new Set(ids).size).toBe(1000)
})
