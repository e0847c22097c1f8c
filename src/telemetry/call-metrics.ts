import type { Distribution, Family } from './metrics.ts'

/** The counts of one server's calls, as the call path keeps them. */
interface ServerCalls {
  readonly server: string
  readonly counts: readonly {
    readonly surface: string
    readonly kind: string
    readonly outcome: string
    readonly count: number
  }[]
  readonly errors: ReadonlyMap<string, number>
  readonly durations: Omit<Distribution, 'labels'>
}

interface Queue {
  readonly server: string
  readonly running: number
  readonly waiting: number
}

export interface CallSource {
  readonly running: number
  /** Since the start, by server. */
  counts(): readonly ServerCalls[]
  /** Whose calls run now, and whose wait for a place. */
  queues(): readonly Queue[]
  /** Rows of the history that are not written yet. */
  unwritten(): number
}

export function callMetrics(source: CallSource): Family[] {
  return [...outcomeMetrics(source.counts), ...queueMetrics(source)]
}

function outcomeMetrics(counts: CallSource['counts']): Family[] {
  return [
    {
      name: 'metamcp_calls_total',
      help: 'Calls by server, surface, kind and outcome: success, tool_error (the tool said so) or error.',
      type: 'counter',
      labels: ['server', 'surface', 'kind', 'outcome'],
      read: () =>
        counts().flatMap(({ server, counts: rows }) =>
          rows.map(({ count, ...labels }) => ({ labels: { server, ...labels }, value: count })),
        ),
    },
    {
      name: 'metamcp_call_errors_total',
      help: 'Calls that failed outside of the tool, by the code of the error.',
      type: 'counter',
      labels: ['server', 'code'],
      read: () =>
        counts().flatMap(({ server, errors }) =>
          Array.from(errors, ([code, value]) => ({ labels: { server, code }, value })),
        ),
    },
    {
      name: 'metamcp_call_duration_seconds',
      help: 'How long calls took, whatever came of them.',
      type: 'histogram',
      labels: ['server'],
      read: () =>
        counts().map(({ server, durations: { bounds, counts: sizes, sum } }) => {
          return { labels: { server }, bounds, counts: sizes, sum }
        }),
    },
  ]
}

function queueMetrics(source: CallSource): Family[] {
  const byServer = (count: (queue: Queue) => number) => () =>
    source.queues().map((queue) => ({ labels: { server: queue.server }, value: count(queue) }))
  return [
    {
      name: 'metamcp_calls_running',
      help: 'Calls that run now.',
      type: 'gauge',
      read: () => [{ value: source.running }],
    },
    {
      name: 'metamcp_upstream_calls_running',
      help: 'Calls that have a place at their server now.',
      type: 'gauge',
      labels: ['server'],
      read: byServer(({ running }) => running),
    },
    {
      name: 'metamcp_upstream_calls_waiting',
      help: 'Calls that wait for a place at their server.',
      type: 'gauge',
      labels: ['server'],
      read: byServer(({ waiting }) => waiting),
    },
    {
      name: 'metamcp_history_unwritten_rows',
      help: 'Calls that are over and not yet in the history.',
      type: 'gauge',
      read: () => [{ value: source.unwritten() }],
    },
  ]
}
