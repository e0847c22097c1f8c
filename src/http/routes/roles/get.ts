import { roleBody, roleParams } from '#contract/role'
import { endpoint } from '../../endpoint.ts'
import { builtInAnswer, roleAnswer } from '../../role-shape.ts'

export const getRole = endpoint({
  method: 'GET',
  path: '/api/v1/roles/:name',
  access: 'roles:read',
  group: 'roles',
  summary: 'One role',
  params: roleParams,
  status: 200,
  answer: roleBody,

  handle({ roles }, { params }) {
    const builtIn = roles.builtIn().find(({ name }) => name === params.name)
    return builtIn ? builtInAnswer(builtIn) : roleAnswer(roles.get(params.name))
  },
})
