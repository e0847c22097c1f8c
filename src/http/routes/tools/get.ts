import { toolDetails, toolParams } from '#contract/tool'
import { endpoint } from '../../endpoint.ts'
import { getTool } from '../../find-tool.ts'
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

  handle({ registry }, { params }) {
    const tool = getTool(registry, params.name)
    return toolDetailsBody(tool, registry.httpTools.find(tool.id))
  },
})
