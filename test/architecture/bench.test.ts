import { expect, test } from 'vitest'
import { barTable, cpuRatio, isHeld, loadTable, median, withinRounds } from '../../bench/report.ts'
import { slopeOf, surelyPerHour, type Sample } from '../../bench/soak-samples.ts'
import type { Window } from '../../bench/windows.ts'

const window = (target: string, round: number, cpuUs: number): Window => ({
  target,
  round,
  cpuUs,
  connections: 16,
  done: 1000,
  failed: 0,
  seconds: 1,
  errors: {},
  perSecond: 1e6 / cpuUs,
  p50: 0.5,
  p95: 1.25,
  p99: 2.75,
  waited: 0,
  residentMb: 80,
})

test('the bench shows p50, p95 and p99 of each target (R256)', () => {
  const [head = '', , row = ''] = loadTable([window('gateway', 0, 60)], 'gateway').split('\n')
  expect(head).toMatch(/p50 ms +\| p95 ms +\| p99 ms/)
  expect(row).toMatch(/\| gateway .*\| 0\.500 +\| 1\.250 +\| 2\.750/)
})

test('ratios compare what ran in the same round, so that a busy moment hits both sides', () => {
  const windows = [
    window('gateway', 0, 60),
    window('bare', 0, 40),
    window('gateway', 1, 300),
    window('bare', 1, 200),
    window('gateway', 2, 60),
  ]
  expect(withinRounds(windows, ['gateway', 'bare'], 16, cpuRatio)).toBe(1.5)
})

test('a bar that was not measured is not held (R256)', () => {
  const bar = { what: 'CPU', limit: 1.6, unit: '×', measured: Number.NaN }
  expect(isHeld(bar)).toBe(false)
  expect(isHeld({ ...bar, measured: 1.6 })).toBe(true)
  expect(barTable([bar, { ...bar, measured: 1.7 }])).toMatch(/not measured[^]*missed/)
})

test('a floor is held from its limit upwards, and not when it was not measured', () => {
  const floor = { what: 'calls per second', limit: 0.7, isFloor: true, unit: '×', measured: 0.7 }
  expect(isHeld(floor)).toBe(true)
  expect(isHeld({ ...floor, measured: 0.69 })).toBe(false)
  expect(isHeld({ ...floor, measured: Number.NaN })).toBe(false)
  expect(barTable([floor])).toContain('≥ 0.7 ×')
})

test('the median ignores what could not be measured', () => {
  expect(median([3, Number.NaN, 1, 2])).toBe(2)
  expect(median([1, 2])).toBe(1.5)
  expect(median([])).toBeNaN()
})

const sampleAt = (hours: number, rssMb: number): Sample => ({
  hours,
  rssMb,
  liveMb: 0,
  files: 0,
  children: 0,
  sessions: 0,
})

test('the soak tells what grows from what goes up and down', () => {
  const hours = Array.from({ length: 60 }, (_, n) => n / 120)
  const leak = slopeOf(
    hours.map((at, n) => sampleAt(at, 100 + 50 * at + (n % 2))),
    'rssMb',
  )
  expect(leak.perHour).toBeCloseTo(50, 0)
  expect(surelyPerHour(leak)).toBeGreaterThan(40)
  const saw = slopeOf(
    hours.map((at, n) => sampleAt(at, 100 + 40 * (n % 2))),
    'rssMb',
  )
  expect(surelyPerHour(saw)).toBeLessThan(1)
})
