import { toolDetails, toolParams } from '#contract/tool'
import { toolFor } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'
import { toolDetailsBody } from '../../tool-shape.ts'

export const getOneTool = endpoint({
  method: 'GET',
  path: '/api/v1/tools/:name',
  access: 'tools:read',
  group: 'tools',
  summary: 'One tool',
  params: toolParams,
  status: 200,
  answer: toolDetails,

  handle(context, request) {
    const tool = toolFor(context, request, request.params.name, 'tools:read')
    return toolDetailsBody(tool, context.registry.httpTools.find(tool.id))
  },
})
