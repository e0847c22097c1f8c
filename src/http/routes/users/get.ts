import { userBody, userParams } from '#contract/user'
import { endpoint } from '../../endpoint.ts'
import { userAnswer } from '../../user-shape.ts'

export const getUser = endpoint({
  method: 'GET',
  path: '/api/v1/users/:id',
  access: 'users:read',
  group: 'users',
  summary: 'One user',
  params: userParams,
  status: 200,
  answer: userBody,

  async handle({ identity }, { params }) {
    return userAnswer(await identity.users.find(params.id))
  },
})
