import type { Output } from './io.ts'
import { plainLine } from './plain-text.ts'

const GAP = '  '

/** Rows in columns, the last one cut at the terminal's edge. Cells are foreign texts. */
export function table(rows: readonly (readonly string[])[], output: Output): string {
  const cells = rows.map((row) => row.map((cell) => plainLine(cell)))
  const count = Math.max(0, ...cells.map((row) => row.length))
  const widths = Array.from({ length: count }, (_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0)
  const room = output.isTTY && output.columns ? Math.max(20, output.columns - before) : Infinity
  return cells.map((row) => lineOf(row, widths, room)).join('')
}

function lineOf(row: readonly string[], widths: readonly number[], room: number): string {
  const shown = row.map((cell, column) =>
    column === widths.length - 1 ? plainLine(cell, room) : cell.padEnd(widths[column] ?? 0),
  )
  return `${shown.join(GAP).trimEnd()}\n`
}
