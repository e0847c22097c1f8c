import { namespaceBody, namespaceRegistration } from '#contract/namespace'
import { demand, namespaceThing } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'
import { namespaceAnswer, namespaceDraft } from '../../namespace-shape.ts'

export const registerNamespace = endpoint({
  method: 'POST',
  path: '/api/v1/namespaces',
  access: 'namespaces:create',
  group: 'namespaces',
  summary: 'Publish a set of tools at /mcp/{name}',
  body: namespaceRegistration,
  status: 201,
  answer: namespaceBody,

  async handle(context, request) {
    const draft = namespaceDraft(request.body)
    demand(context, request, 'namespaces:create', namespaceThing(draft.name))
    return namespaceAnswer(context, await context.registry.namespaces.register(draft))
  },
})
