import { searchStats, searchStatsQuery } from '#contract/search-history'
import { endpoint } from '../../endpoint.ts'
import { searchStatsBody, timeOf } from '../../search-history-shape.ts'

const NEVER_FOUND_MAX = 100

export const getSearchStats = endpoint({
  method: 'GET',
  path: '/api/v1/searches/stats',
  access: 'searches:report',
  group: 'searches',
  summary: 'Counts and times of all searches by type, and what was looked for in vain',
  query: searchStatsQuery,
  status: 200,
  answer: searchStats,

  async handle({ search: { history } }, { query }) {
    const from = timeOf(query.from)
    const [stats, missed] = await Promise.all([
      history.stats(from === undefined ? {} : { from }),
      history.missed(NEVER_FOUND_MAX, from),
    ])
    return searchStatsBody(stats, missed)
  },
})
