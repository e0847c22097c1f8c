import { ExportResultCode } from '@opentelemetry/core'
import type { SpanExporter } from '@opentelemetry/sdk-trace-base'
import { messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'

/** Spans that the collector has taken, and those that it has not. */
export interface ExportCounts {
  readonly exported: number
  readonly failed: number
}

interface ReportingExporter extends SpanExporter {
  counts(): ExportCounts
}

/** The same exporter. Its counts show in the metrics; the log hears when the collector goes and when it comes back. */
export function reportingExporter(exporter: SpanExporter, log: Logger): ReportingExporter {
  const counts = { exported: 0, failed: 0 }
  let isAway = false
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.code !== ExportResultCode.SUCCESS
        counts[failed ? 'failed' : 'exported'] += spans.length
        if (failed && !isAway) log.warn({ error: messageOf(result.error) }, 'traces cannot be delivered')
        if (!failed && isAway) log.info({}, 'traces are delivered again')
        isAway = failed
        done(result)
      })
    },
    counts: () => ({ ...counts }),
    shutdown: () => exporter.shutdown(),
  }
}
