import { loginPage, userParams, userQuery } from '#contract/user'
import { endpoint } from '../../endpoint.ts'
import { isoTime } from '../../page.ts'

export const listLogins = endpoint({
  method: 'GET',
  path: '/api/v1/users/:id/logins',
  access: 'users:read',
  group: 'users',
  summary: 'Logins of a user, failed ones included, newest first',
  params: userParams,
  query: userQuery,
  status: 200,
  answer: loginPage,

  async handle({ identity }, { params, query }) {
    const { id } = await identity.users.find(params.id)
    const { logins, total } = await identity.logins.history(id, query)
    const shown = logins.map(({ outcome, ip, agent, at }) => {
      return { outcome, ip: ip ?? null, agent: agent ?? null, at: isoTime(at) }
    })
    return { logins: shown, total, limit: query.limit, offset: query.offset }
  },
})
