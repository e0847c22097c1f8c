import type { Distribution, Family } from './metrics.ts'

/** The searches of one mode since the start. */
interface ModeSearches {
  readonly mode: string
  readonly outcomes: Readonly<Record<'found' | 'nothing_found' | 'failed', number>>
  /** Answered from memory. */
  readonly cached: number
  /** Of those that were answered. */
  readonly durations: Omit<Distribution, 'labels'>
}

/** How many tools the embedding model knows, where there is one. */
interface VectorProgress {
  readonly known: number
  readonly wanted: number
}

export interface SearchSource {
  searches(): readonly ModeSearches[]
  progress(): VectorProgress | undefined
}

export function searchMetrics({ searches, progress }: SearchSource): Family[] {
  return [
    {
      name: 'metamcp_search_duration_seconds',
      help: 'How long searches took that were answered.',
      type: 'histogram',
      labels: ['mode'],
      read: () =>
        searches().map(({ mode, durations: { bounds, counts, sum } }) => ({ labels: { mode }, bounds, counts, sum })),
    },
    {
      name: 'metamcp_searches_total',
      help: 'Searches by mode and outcome: found, nothing_found or failed.',
      type: 'counter',
      labels: ['mode', 'outcome'],
      read: () =>
        searches().flatMap(({ mode, outcomes }) =>
          Object.entries(outcomes).map(([outcome, value]) => ({ labels: { mode, outcome }, value })),
        ),
    },
    {
      name: 'metamcp_search_cached_total',
      help: 'Searches that were answered from memory.',
      type: 'counter',
      labels: ['mode'],
      read: () => searches().map(({ mode, cached }) => ({ labels: { mode }, value: cached })),
    },
    {
      name: 'metamcp_search_vectors',
      help: 'Tools whose meaning the model knows, and those it should know.',
      type: 'gauge',
      labels: ['kind'],
      read() {
        const { known = 0, wanted = 0 } = progress() ?? {}
        return [
          { labels: { kind: 'known' }, value: known },
          { labels: { kind: 'wanted' }, value: wanted },
        ]
      },
    },
  ]
}
