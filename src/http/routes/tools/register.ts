import { toolRegistered, toolRegistration } from '#contract/tool'
import { AppError } from '#kernel/errors'
import { demand, draftThing } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'
import { toolDraft } from '../../tool-shape.ts'

export const registerTool = endpoint({
  method: 'POST',
  path: '/api/v1/tools',
  access: 'tools:create',
  group: 'tools',
  summary: 'Offer a plain HTTP API as a tool',
  body: toolRegistration,
  status: 201,
  answer: toolRegistered,

  async handle(context, request) {
    const { registry, admit, toolTimeoutMs } = context
    const draft = toolDraft(request.body, toolTimeoutMs)
    demand(context, request, 'tools:create', draftThing(draft))
    request.told.rule = await admit?.(draft)
    if (registry.catalog.allTools().some((tool) => tool.name === draft.name)) {
      throw new AppError('conflict', `A tool is called ${draft.name} already`, { details: { name: draft.name } })
    }
    const record = await registry.httpTools.register(draft)
    return { tool_id: record.id, message: `Tool ${record.name} is registered` }
  },
})
