import type { Family } from './metrics.ts'

interface ExportCounts {
  readonly exported: number
  readonly failed: number
}

/** Nothing, where no calls are traced. */
export function traceMetrics(tracing: { counts(): ExportCounts } | undefined): Family[] {
  if (!tracing) return []
  return [
    {
      name: 'metamcp_trace_spans_total',
      help: 'Spans that the collector has taken, and those that it has not.',
      type: 'counter',
      labels: ['outcome'],
      read: () => Object.entries(tracing.counts()).map(([outcome, value]) => ({ labels: { outcome }, value })),
    },
  ]
}
