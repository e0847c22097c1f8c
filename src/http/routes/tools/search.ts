import { searchAnswer, searchQuery, searchRequest } from '#contract/search'
import { endpoint } from '../../endpoint.ts'
import { searchAnswerOf } from '../../search-shape.ts'

export const searchTools = endpoint({
  method: 'POST',
  path: '/api/v1/tools/search',
  group: 'tools',
  summary: 'Find the tools that fit a task, the best first',
  body: searchRequest,
  status: 200,
  answer: searchAnswer,

  handle: (context, { body }) => searchAnswerOf(context, body),
})

export const searchToolsByQuery = endpoint({
  method: 'GET',
  path: '/api/v1/tools/search',
  group: 'tools',
  summary: 'The same by URL',
  query: searchQuery,
  status: 200,
  answer: searchAnswer,

  handle: (context, { query: { q, ...rest } }) => searchAnswerOf(context, { query: q, ...rest }),
})
