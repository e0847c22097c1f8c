import { noContent } from '#contract/scalars'
import { toolParams } from '#contract/tool'
import { AppError } from '#kernel/errors'
import { endpoint } from '../../endpoint.ts'
import { getTool } from '../../find-tool.ts'

export const removeTool = endpoint({
  method: 'DELETE',
  path: '/api/v1/tools/:name',
  access: 'tools:delete',
  group: 'tools',
  summary: 'Remove an HTTP tool; its name is free afterwards',
  params: toolParams,
  status: 204,
  answer: noContent,

  async handle({ registry }, { params }) {
    const tool = getTool(registry, params.name)
    if (tool.kind === 'mcp') {
      throw new AppError(
        'conflict',
        `The tool belongs to the server ${tool.server}: disable it, or remove the server`,
        {
          details: { server: tool.server },
        },
      )
    }
    await registry.httpTools.remove(tool.id)
  },
})
