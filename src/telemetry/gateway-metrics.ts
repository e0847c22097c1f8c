import type { Family } from './metrics.ts'

export interface GatewaySource {
  readonly version: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  isDraining(): boolean
  /** Sessions of clients that are open now. */
  sessions(): number
  storageWorks(): Promise<boolean>
  /** Absent where none is configured. */
  redisIsUp?(): boolean
  freeSpace(): Promise<{ readonly freeBytes: number }>
  /** Lines of the log that were lost because nobody read them. */
  linesLost(): number
}

export function gatewayMetrics(source: GatewaySource): Family[] {
  return [...processMetrics(source), ...componentMetrics(source)]
}

/** What the gateway stands on. */
function componentMetrics({ storageWorks, redisIsUp, freeSpace }: GatewaySource): Family[] {
  return [
    {
      name: 'metamcp_storage_up',
      help: 'Whether the database answers.',
      type: 'gauge',
      read: async () => [{ value: (await storageWorks()) ? 1 : 0 }],
    },
    {
      name: 'metamcp_redis_up',
      help: 'Whether Redis answers; without a value where none is configured.',
      type: 'gauge',
      read: () => (redisIsUp ? [{ value: redisIsUp() ? 1 : 0 }] : []),
    },
    {
      name: 'metamcp_disk_free_bytes',
      help: 'What is left on the disk of the data directory; without a value where it cannot be reached.',
      type: 'gauge',
      read: () =>
        freeSpace().then(
          ({ freeBytes }) => [{ value: freeBytes }],
          () => [],
        ),
    },
  ]
}

function processMetrics({ version, startedAt, isDraining, sessions, linesLost }: GatewaySource): Family[] {
  return [
    {
      name: 'metamcp_log_lines_lost_total',
      help: 'Lines of the log that were lost because nobody read them.',
      type: 'counter',
      read: () => [{ value: linesLost() }],
    },
    {
      name: 'metamcp_build_info',
      help: 'The version that runs; always 1.',
      type: 'gauge',
      labels: ['version', 'node'],
      read: () => [{ labels: { version, node: process.version }, value: 1 }],
    },
    {
      name: 'metamcp_start_time_seconds',
      help: 'When the gateway started, in seconds since 1970.',
      type: 'gauge',
      read: () => [{ value: startedAt / 1000 }],
    },
    {
      name: 'metamcp_draining',
      help: '1 while the gateway takes no new work because it stops.',
      type: 'gauge',
      read: () => [{ value: isDraining() ? 1 : 0 }],
    },
    {
      name: 'metamcp_sessions',
      help: 'Sessions of clients that are open.',
      type: 'gauge',
      read: () => [{ value: sessions() }],
    },
  ]
}
