import type { Family } from './metrics.ts'

interface BreakerFacts {
  readonly name: string
  readonly kind: string
  readonly state: string
  readonly refused: number
  readonly timesOpened: number
}

const STATES = ['closed', 'half-open', 'open']

export function breakerMetrics(list: () => readonly BreakerFacts[]): Family[] {
  const labels = ['breaker', 'kind']
  const each = (valueOf: (breaker: BreakerFacts) => number) => () =>
    list().map((breaker) => ({ labels: { breaker: breaker.name, kind: breaker.kind }, value: valueOf(breaker) }))
  return [
    {
      name: 'metamcp_breaker_state',
      help: 'State of the breaker of a server or tool: 0 closed, 1 half-open, 2 open.',
      type: 'gauge',
      labels,
      read: each(({ state }) => STATES.indexOf(state)),
    },
    {
      name: 'metamcp_breaker_opened_total',
      help: 'How often the breaker of a server or tool opened.',
      type: 'counter',
      labels,
      read: each(({ timesOpened }) => timesOpened),
    },
    {
      name: 'metamcp_breaker_refused_total',
      help: 'Calls that the breaker of a server or tool refused.',
      type: 'counter',
      labels,
      read: each(({ refused }) => refused),
    },
  ]
}
