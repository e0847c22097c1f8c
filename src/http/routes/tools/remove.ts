import { noContent } from '#contract/scalars'
import { toolParams } from '#contract/tool'
import { AppError } from '#kernel/errors'
import { toolFor } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'

export const removeTool = endpoint({
  method: 'DELETE',
  path: '/api/v1/tools/:name',
  access: 'tools:delete',
  group: 'tools',
  summary: 'Remove an HTTP tool; its name is free afterwards',
  params: toolParams,
  status: 204,
  answer: noContent,

  async handle(context, request) {
    const tool = toolFor(context, request, request.params.name, 'tools:delete')
    if (tool.kind === 'mcp') {
      throw new AppError(
        'conflict',
        `The tool belongs to the server ${tool.server}: disable it, or remove the server`,
        {
          details: { server: tool.server },
        },
      )
    }
    await context.registry.httpTools.remove(tool.id)
  },
})
