import { searchAnswer, searchQuery, searchRequest } from '#contract/search'
import { endpoint } from '../../endpoint.ts'
import { searchAnswerOf } from '../../search-shape.ts'

export const searchTools = endpoint({
  method: 'POST',
  path: '/api/v1/tools/search',
  access: 'tools:read',
  rate: 'calls',
  group: 'tools',
  summary: 'Find the tools that fit a task, the best first',
  body: searchRequest,
  status: 200,
  answer: searchAnswer,

  handle: (context, request) => searchAnswerOf(context, request, request.body),
})

export const searchToolsByQuery = endpoint({
  method: 'GET',
  path: '/api/v1/tools/search',
  access: 'tools:read',
  rate: 'calls',
  group: 'tools',
  summary: 'The same by URL',
  query: searchQuery,
  status: 200,
  answer: searchAnswer,

  handle(context, request) {
    const { q, ...rest } = request.query
    return searchAnswerOf(context, request, { query: q, ...rest })
  },
})
