import type { Family } from './metrics.ts'

export interface GatewaySource {
  readonly version: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  isDraining(): boolean
  /** Sessions of clients that are open now. */
  sessions(): number
}

export function gatewayMetrics({ version, startedAt, isDraining, sessions }: GatewaySource): Family[] {
  return [
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
