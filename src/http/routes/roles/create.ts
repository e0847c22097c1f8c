import { roleBody, roleRegistration } from '#contract/role'
import { defined } from '../../defined.ts'
import { endpoint } from '../../endpoint.ts'
import { roleAnswer } from '../../role-shape.ts'

export const createRole = endpoint({
  method: 'POST',
  path: '/api/v1/roles',
  access: 'roles:create',
  group: 'roles',
  summary: 'Make a role',
  body: roleRegistration,
  status: 201,
  answer: roleBody,

  async handle({ roles }, { body: { name, permissions, deny, description } }) {
    return roleAnswer(await roles.create({ name, permissions, deny, ...defined({ description }) }))
  },
})
