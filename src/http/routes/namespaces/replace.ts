import { namespaceBody, namespaceParams, namespaceReplacement } from '#contract/namespace'
import { withAbsent } from '../../defined.ts'
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

  async handle(context, { params, body }) {
    const before = context.registry.namespaces.get(params.name)
    const draft = namespaceDraft({ ...body, name: body.name ?? before.name })
    const after = await context.registry.namespaces.update(before.id, withAbsent(draft, ['description', 'servers']))
    return namespaceAnswer(context, after)
  },
})
