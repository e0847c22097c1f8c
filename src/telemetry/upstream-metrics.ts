import type { Family, Sample } from './metrics.ts'

const STATES = ['online', 'connecting', 'degraded', 'offline', 'disabled'] as const

/** A server as it is now. */
interface Upstream {
  readonly server: string
  readonly state: (typeof STATES)[number]
  readonly sessions: number
  readonly children: number
}

/** The upstreams that are registered now. */
export type UpstreamSource = () => readonly Upstream[]

export function upstreamMetrics(upstreams: UpstreamSource): Family[] {
  const byServer = (count: (upstream: Upstream) => number) => () =>
    upstreams().map((upstream) => ({ labels: { server: upstream.server }, value: count(upstream) }))
  return [
    {
      name: 'metamcp_upstream_up',
      help: 'Whether the server is there: 1 when online or degraded.',
      type: 'gauge',
      labels: ['server'],
      read: byServer(({ state }) => (state === 'online' || state === 'degraded' ? 1 : 0)),
    },
    {
      name: 'metamcp_upstream_state',
      help: 'The state of the server: 1 for the one it is in.',
      type: 'gauge',
      labels: ['server', 'state'],
      read: () => upstreams().flatMap(statesOf),
    },
    {
      name: 'metamcp_upstream_sessions',
      help: 'Sessions that are open with the server.',
      type: 'gauge',
      labels: ['server'],
      read: byServer(({ sessions }) => sessions),
    },
    {
      name: 'metamcp_upstream_children',
      help: 'Processes that run for the server.',
      type: 'gauge',
      labels: ['server'],
      read: byServer(({ children }) => children),
    },
  ]
}

function statesOf({ server, state }: Upstream): Sample[] {
  return STATES.map((each) => ({ labels: { server, state: each }, value: each === state ? 1 : 0 }))
}
