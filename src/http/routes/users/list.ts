import { userPage, userQuery } from '#contract/user'
import { endpoint } from '../../endpoint.ts'
import { userAnswer } from '../../user-shape.ts'

export const listUsers = endpoint({
  method: 'GET',
  path: '/api/v1/users',
  access: 'users:read',
  group: 'users',
  summary: 'Users',
  query: userQuery,
  status: 200,
  answer: userPage,

  async handle({ identity }, { query }) {
    const { users, total } = await identity.users.list(query)
    return { users: users.map(userAnswer), total, limit: query.limit, offset: query.offset }
  },
})
