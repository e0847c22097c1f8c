import { namespaceBody, namespaceParams, namespaceReplacement } from '#contract/namespace'
import { withAbsent } from '../../defined.ts'
import { demand, namespaceFor, namespaceThing } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'
import { namespaceAnswer, namespaceDraft } from '../../namespace-shape.ts'

export const replaceNamespace = endpoint({
  method: 'PUT',
  path: '/api/v1/namespaces/:name',
  access: 'namespaces:update',
  group: 'namespaces',
  summary: 'Replace a published set; what is absent has its default again',
  params: namespaceParams,
  body: namespaceReplacement,
  status: 200,
  answer: namespaceBody,

  async handle(context, request) {
    const { params, body } = request
    const before = namespaceFor(context, request, params.name, 'namespaces:update')
    if (body.name !== undefined) demand(context, request, 'namespaces:update', namespaceThing(body.name))
    const draft = namespaceDraft({ ...body, name: body.name ?? before.name })
    const after = await context.registry.namespaces.update(before.id, withAbsent(draft, ['description', 'servers']))
    return namespaceAnswer(context, after)
  },
})
