import type { z } from 'zod'
import { executeAnswer, executeRequest, type ExecuteAnswer, type ExecuteRequest } from '#contract/execution'
import { toolParams } from '#contract/tool'
import { isToolError, type Call } from '#gateway/call'
import { Cancellation } from '#kernel/cancellation'
import { traceId } from '#kernel/ids'
import type { JsonObject } from '#kernel/json'
import { editObject, memberText } from '#kernel/json-text'
import type { CatalogTool } from '#registry/catalog-view'
import { endpoint, ReadyText, type ApiContext, type ApiRequest } from '../../endpoint.ts'
import { findTool } from '../../find-tool.ts'

/** Nobody can be asked anything over REST. */
const CALLER = { sessionKey: 'rest', profile: { capabilities: {} } } as const

export const executeTool = endpoint({
  method: 'POST',
  path: '/api/v1/tools/:name/execute',
  access: 'tools:execute',
  rate: 'calls',
  group: 'tools',
  summary: 'Call a tool',
  params: toolParams,
  body: executeRequest,
  status: 200,
  answer: executeAnswer,

  async handle(context, request) {
    const tool = visibleTool(context, request)
    // What is hidden keeps the name it was asked for by: another one would betray it.
    const call = toolCall(context, request, tool?.exposedName ?? request.params.name)
    const result = await context.gateway.run(call)
    const isError = isToolError(result)
    const finishedAt = context.now()
    const answer: ExecuteAnswer = {
      execution_id: call.id,
      tool_name: tool?.name ?? call.name,
      server: result.server,
      status: isError ? 'error' : 'success',
      result: null,
      is_error: isError,
      fallback: result.fallback ?? null,
      cached: result.cached !== undefined,
      stale: result.cached?.isStale ?? false,
      execution_time: (finishedAt - call.startedAt) / 1000,
      executed_by: call.principal.id,
      timestamp: new Date(finishedAt).toISOString(),
    }
    return new ReadyText(editObject(JSON.stringify(answer), { result: result.text }))
  },
})

function visibleTool({ registry, views }: ApiContext, { params, principal }: ExecuteCall): CatalogTool | undefined {
  const tool = findTool(registry, params.name)
  const visible = tool && views.view(principal)?.toolByName.get(tool.exposedName)
  return visible?.id === tool?.id ? tool : undefined
}

type ExecuteCall = ApiRequest<z.infer<typeof toolParams>, unknown, ExecuteRequest>

/** The arguments keep the digits and the order they were written in. */
function toolCall({ newId, now }: ApiContext, request: ExecuteCall, name: string): Call {
  const { body, bodyText, traceparent } = request
  const argumentsText = memberText(bodyText, 'arguments') ?? memberText(bodyText, 'input_data') ?? '{}'
  return {
    id: newId(),
    traceId: traceparent?.split('-')[1] ?? traceId(),
    traceparent,
    requestId: request.requestId,
    surface: 'rest',
    kind: 'tool',
    method: 'tools/call',
    name,
    namespace: undefined,
    principal: request.principal,
    paramsText: `{"name":${JSON.stringify(name)},"arguments":${argumentsText}}`,
    params: { name, arguments: (body.arguments ?? body.input_data ?? {}) as JsonObject },
    caller: CALLER,
    signal: Cancellation.following(request.signal),
    startedAt: now(),
    notes: { server: '', stages: [], attempts: 0, cached: undefined },
    target: undefined,
    span: undefined,
    place: undefined,
  }
}
