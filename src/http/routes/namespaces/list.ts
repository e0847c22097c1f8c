import { namespacePage, namespaceQuery } from '#contract/namespace'
import { maySeeNamespace } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'
import { namespaceAnswer } from '../../namespace-shape.ts'
import { pageOf } from '../../page.ts'

export const listNamespaces = endpoint({
  method: 'GET',
  path: '/api/v1/namespaces',
  access: 'namespaces:read',
  group: 'namespaces',
  summary: 'Published sets of tools',
  query: namespaceQuery,
  status: 200,
  answer: namespacePage,

  handle(context, request) {
    const seen = context.registry.namespaces.list().filter((record) => maySeeNamespace(context, request, record))
    const { items, info } = pageOf(seen, request.query)
    return { namespaces: items.map((record) => namespaceAnswer(context, record)), ...info }
  },
})
