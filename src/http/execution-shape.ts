import type { CallStats, ExecutionBody, ExecutionDetails, ExecutionQuery, PayloadBody } from '#contract/execution'
import type { Execution, ExecutionFilter, ExecutionStats, Payload } from '#gateway/executions'
import type { Registry } from '#registry/registry-api'
import { defined } from './defined.ts'
import { findTool } from './find-tool.ts'
import { isoTime, isoTimeOrNull, msOf } from './page.ts'

/** A call of the history as answers show it. */
export function executionBody(execution: Execution): ExecutionBody {
  return {
    execution_id: execution.id,
    trace_id: execution.traceId,
    kind: execution.kind,
    name: execution.name,
    server: execution.server,
    principal: execution.principal,
    surface: execution.surface,
    namespace: execution.namespace ?? null,
    status: execution.outcome,
    is_error: execution.isError,
    error: execution.errorCode ?? null,
    error_message: execution.errorMessage ?? null,
    started_at: isoTime(execution.startedAt),
    duration_ms: execution.durationMs,
    request_bytes: execution.requestBytes,
    result_bytes: execution.resultBytes,
    fallback: execution.fallback ?? null,
    attempts: execution.attempts ?? 1,
    cached: execution.cached !== undefined,
    stale: execution.cached === 'stale',
    stages: stagesOf(execution),
  }
}

/** A call in full; what it carried only for whom `maySee` says so. */
export function executionDetailsBody(execution: Execution, maySee: boolean): ExecutionDetails {
  const { payloads } = execution
  const shown = maySee ? payloads : undefined
  const hidden = payloads === undefined ? 'none' : 'hidden'
  return {
    ...executionBody(execution),
    payloads: shown ? 'shown' : hidden,
    arguments: payloadBody(shown?.arguments),
    result: payloadBody(shown?.result),
  }
}

function payloadBody(payload: Payload | undefined): PayloadBody | null {
  if (!payload) return null
  const { text, isCut } = payload
  return isCut ? { value: null, text, truncated: true } : { value: JSON.parse(text), text: null, truncated: false }
}

/** Counts and times as answers show them. */
export function statsBody(stats: ExecutionStats): CallStats {
  return {
    calls: stats.calls,
    successes: stats.successes,
    errors: stats.errors,
    success_rate: stats.calls === 0 ? null : stats.successes / stats.calls,
    average_ms: stats.averageMs ?? null,
    p50_ms: stats.p50Ms ?? null,
    p95_ms: stats.p95Ms ?? null,
    p99_ms: stats.p99Ms ?? null,
    last_called_at: isoTimeOrNull(stats.lastCalledAt),
  }
}

const DAY_MS = 86_400_000

/** When the last so many days began, today included. */
export function daysBack(days: number | undefined, now: number): { from?: number } {
  return days === undefined ? {} : { from: now - (days - 1) * DAY_MS }
}

/** The history knows tools by their exposed names. */
export function executionFilter(registry: Registry, query: ExecutionQuery): ExecutionFilter {
  const { name, from, to, limit, offset } = query
  return {
    ...defined({
      name: name === undefined ? undefined : (findTool(registry, name)?.exposedName ?? name),
      server: query.server,
      principal: query.principal,
      outcome: query.status,
      from: msOf(from),
      to: msOf(to),
    }),
    limit,
    offset,
  }
}

/** Stage and time stand in turn in the record. */
function stagesOf({ stages }: Execution): { stage: string; at_ms: number }[] {
  return stages.flatMap((stage, index) =>
    typeof stage === 'string' ? [{ stage, at_ms: Number(stages[index + 1]) }] : [],
  )
}
