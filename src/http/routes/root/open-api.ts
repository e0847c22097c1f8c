import { openApiDocument } from '#contract/welcome'
import { endpoint, ReadyText } from '../../endpoint.ts'

export const getOpenApi = endpoint({
  method: 'GET',
  path: '/openapi.json',
  access: 'public',
  group: 'root',
  summary: 'This API in OpenAPI 3.1',
  status: 200,
  answer: openApiDocument,

  handle: ({ openApiText }) => new ReadyText(openApiText()),
})
