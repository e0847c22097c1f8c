import { cacheQuery, cacheRemoved } from '#contract/cache'
import { endpoint } from '../../endpoint.ts'

export const removeCached = endpoint({
  method: 'DELETE',
  path: '/api/v1/cache',
  access: 'cache:delete',
  group: 'cache',
  summary: 'Forget results that are kept: all, or those of a tag or prefix',
  query: cacheQuery,
  status: 200,
  answer: cacheRemoved,

  async handle({ results }, { query }) {
    return { removed: await results.remove(query) }
  },
})
