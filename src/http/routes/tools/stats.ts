import { statsQuery, toolStats } from '#contract/execution'
import { toolParams } from '#contract/tool'
import { toolFor } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'
import { daysBack, statsBody } from '../../execution-shape.ts'

export const getToolStats = endpoint({
  method: 'GET',
  path: '/api/v1/tools/:name/stats',
  access: 'tools:read',
  group: 'tools',
  summary: 'How often a tool was called and how long it took',
  params: toolParams,
  query: statsQuery,
  status: 200,
  answer: toolStats,

  async handle(context, request) {
    const tool = toolFor(context, request, request.params.name, 'tools:read')
    const period = daysBack(request.query.days, context.now())
    const stats = await context.executions.stats({ tool: tool.exposedName, ...period })
    return { tool_name: tool.name, ...statsBody(stats) }
  },
})
