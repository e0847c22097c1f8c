import type { Bar } from './report.ts'

/** How long to take: `quick` looks whether all works, the other measures. */
export interface Pace {
  readonly isQuick: boolean
}

/** What a scenario has to say. */
export interface Findings {
  /** Paragraphs and tables in Markdown. */
  readonly report: readonly string[]
  readonly bars: readonly Bar[]
  /** Answers that were not what they had to be; there must be none. */
  readonly wrong: readonly string[]
}

/** One thing that is measured; `--only NAME` runs it alone. */
export interface Scenario {
  readonly name: string
  /** Of a full run, in seconds: afterwards no further round starts. */
  readonly seconds: number
  run(pace: Pace): Promise<Findings>
}
