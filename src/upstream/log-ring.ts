import type { UpstreamLogLine } from '#registry/upstream-status'

const LINES_MAX = 500
const LINE_CHARS_MAX = 4000

/** The newest lines of one upstream. */
export interface LogRing {
  add(source: UpstreamLogLine['source'], text: string): void
  lines(): readonly UpstreamLogLine[]
}

export function createLogRing(now: () => number): LogRing {
  let lines: UpstreamLogLine[] = []
  return {
    add(source, text) {
      lines.push({ at: now(), source, text: text.slice(0, LINE_CHARS_MAX) })
      if (lines.length > 2 * LINES_MAX) lines = lines.slice(-LINES_MAX)
    },
    lines: () => lines.slice(-LINES_MAX),
  }
}
