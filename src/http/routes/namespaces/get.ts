import { namespaceBody, namespaceParams } from '#contract/namespace'
import { namespaceFor } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'
import { namespaceAnswer } from '../../namespace-shape.ts'

export const getNamespace = endpoint({
  method: 'GET',
  path: '/api/v1/namespaces/:name',
  access: 'namespaces:read',
  group: 'namespaces',
  summary: 'One published set',
  params: namespaceParams,
  status: 200,
  answer: namespaceBody,

  handle(context, request) {
    return namespaceAnswer(context, namespaceFor(context, request, request.params.name, 'namespaces:read'))
  },
})
