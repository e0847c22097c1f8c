import { toolChange, toolDetails, toolParams, type ToolChange } from '#contract/tool'
import { AppError } from '#kernel/errors'
import type { HttpToolRecord } from '#registry/records'
import { changedThing, demand, toolFor } from '../../demand.ts'
import { endpoint, type ApiContext } from '../../endpoint.ts'
import { getTool } from '../../find-tool.ts'
import { httpToolChange, overrideChange, toolDetailsBody } from '../../tool-shape.ts'

export const changeTool = endpoint({
  method: 'PUT',
  path: '/api/v1/tools/:name',
  access: 'tools:update',
  group: 'tools',
  summary: 'Replace members of an HTTP tool, or how a tool of an MCP server is shown',
  params: toolParams,
  body: toolChange,
  status: 200,
  answer: toolDetails,

  async handle(context, request) {
    const { params, body } = request
    const { registry } = context
    const tool = toolFor(context, request, params.name, 'tools:update')
    const { id } = tool
    demand(context, request, 'tools:update', changedThing(tool, body))
    refuseTakenName(context, id, body.name)
    const record = registry.httpTools.find(id)
    if (record) request.told.rule = await changeHttpTool(context, record, body)
    else await registry.overrideTool(id, overrideChange(body))
    return toolDetailsBody(getTool(registry, id), registry.httpTools.find(id))
  },
})

async function changeHttpTool({ registry, admit }: ApiContext, record: HttpToolRecord, body: ToolChange) {
  const change = httpToolChange(body, record)
  const isMoved = change.endpoint !== undefined && change.endpoint !== record.endpoint
  const rule = isMoved ? await admit?.({ ...record, ...change }) : undefined
  await registry.httpTools.update(record.id, change)
  return rule
}

function refuseTakenName({ registry }: ApiContext, id: string, name: string | undefined): void {
  if (name === undefined || !registry.catalog.allTools().some((tool) => tool.name === name && tool.id !== id)) return
  throw new AppError('conflict', `Another tool is called ${name}`, { details: { name } })
}
