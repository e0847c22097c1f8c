import { searchHistoryPage, searchHistoryQuery } from '#contract/search-history'
import { endpoint } from '../../endpoint.ts'
import { ownSearches, pastSearchOf } from '../../search-history-shape.ts'

export const listSearches = endpoint({
  method: 'GET',
  path: '/api/v1/searches',
  access: 'searches:read',
  group: 'searches',
  summary: 'Your own searches, newest first',
  query: searchHistoryQuery,
  status: 200,
  answer: searchHistoryPage,

  async handle({ search: { history } }, { principal, query }) {
    const { searches, total } = await history.list(ownSearches(principal, query))
    return { searches: searches.map(pastSearchOf), total, limit: query.limit, offset: query.offset }
  },
})
