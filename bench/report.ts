import type { Window } from './windows.ts'

/** A limit of ours and what was measured. */
export interface Bar {
  readonly what: string
  readonly limit: number
  /** At least the limit instead of at most. */
  readonly isFloor?: boolean
  readonly unit: string
  readonly measured: number
}

/** NaN bars were not measured: they are missed. */
export function isHeld({ measured, limit, isFloor }: Bar): boolean {
  return isFloor === true ? measured >= limit : measured <= limit
}

export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** What a quarter of the values do not exceed: for figures that noise only makes larger. */
export function lowerQuartile(values: readonly number[]): number {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 4)] ?? Number.NaN
}

/** The median over rounds of a figure of one target set against another's in the same round. */
export function withinRounds(
  windows: readonly Window[],
  [target, reference]: readonly [target: string, reference: string],
  connections: number,
  compare: (a: Window, b: Window) => number,
): number {
  const at = (name: string, round: number) =>
    windows.find((window) => window.target === name && window.round === round && window.connections === connections)
  const rounds = [...new Set(windows.map((window) => window.round))]
  return median(
    rounds.flatMap((round) => {
      const [a, b] = [at(target, round), at(reference, round)]
      return a === undefined || b === undefined ? [] : [compare(a, b)]
    }),
  )
}

export const cpuRatio = (a: Window, b: Window): number => a.cpuUs / b.cpuUs
export const speedRatio = (a: Window, b: Window): number => a.perSecond / b.perSecond

/** One figure of a window: heading, digits, where it is. */
const FIGURES: readonly (readonly [heading: string, digits: number, pick: (window: Window) => number])[] = [
  ['per second', 0, (window) => window.perSecond],
  ['p50 ms', 3, (window) => window.p50],
  ['p95 ms', 3, (window) => window.p95],
  ['p99 ms', 3, (window) => window.p99],
  ['CPU µs', 1, (window) => window.cpuUs],
  ['RSS MB', 0, (window) => window.residentMb],
  ['noise %', 0, (window) => window.waited * 100],
]

/** One row for each number of connections and target: medians over the rounds, ratios within them. */
export function loadTable(windows: readonly Window[], reference: string): string {
  const rows = [...new Set(windows.map(({ connections }) => connections))].flatMap((connections) =>
    [...new Set(windows.map(({ target }) => target))].map((target) => {
      const own = windows.filter((window) => window.target === target && window.connections === connections)
      const ratio = (compare: (a: Window, b: Window) => number): string =>
        show(withinRounds(windows, [target, reference], connections, compare), 2)
      return [
        String(connections),
        target,
        ...FIGURES.map(([, digits, pick]) => show(median(own.map(pick)), digits)),
        ratio(speedRatio),
        ratio(cpuRatio),
        String(own.reduce((sum, window) => sum + window.failed, 0)),
      ]
    }),
  )
  const figures = FIGURES.map(([heading]) => heading)
  return table(['at once', 'target', ...figures, `speed × ${reference}`, `CPU × ${reference}`, 'wrong'], rows)
}

export function barTable(bars: readonly Bar[]): string {
  const rows = bars.map((bar) => [
    bar.what,
    `${bar.isFloor === true ? '≥' : '≤'} ${bar.limit} ${bar.unit}`,
    `${show(bar.measured, 2)} ${bar.unit}`,
    Number.isNaN(bar.measured) ? 'not measured' : isHeld(bar) ? 'held' : 'missed',
  ])
  return table(['bar', 'limit', 'measured', ''], rows)
}

/** A Markdown table, its columns as wide as their widest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, i) => Math.max(3, cell.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, i) => (cells[i] ?? '').padEnd(width)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}

export function show(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–'
}
