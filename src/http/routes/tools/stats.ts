import { toolStats } from '#contract/execution'
import { toolParams } from '#contract/tool'
import { toolFor } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'
import { isoTimeOrNull } from '../../page.ts'

export const getToolStats = endpoint({
  method: 'GET',
  path: '/api/v1/tools/:name/stats',
  access: 'tools:read',
  group: 'tools',
  summary: 'How often a tool was called and how long it took',
  params: toolParams,
  status: 200,
  answer: toolStats,

  async handle(context, request) {
    const tool = toolFor(context, request, request.params.name, 'tools:read')
    const stats = await context.executions.stats(tool.exposedName)
    return {
      tool_name: tool.name,
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
  },
})
