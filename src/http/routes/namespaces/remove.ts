import { noContent } from '#contract/scalars'
import { namespaceParams } from '#contract/namespace'
import { namespaceFor } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'

export const removeNamespace = endpoint({
  method: 'DELETE',
  path: '/api/v1/namespaces/:name',
  access: 'namespaces:delete',
  group: 'namespaces',
  summary: 'Take a published set away; its tools stay',
  params: namespaceParams,
  status: 204,
  answer: noContent,

  async handle(context, request) {
    const { id } = namespaceFor(context, request, request.params.name, 'namespaces:delete')
    await context.registry.namespaces.remove(id)
  },
})
