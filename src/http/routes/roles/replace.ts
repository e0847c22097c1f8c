import { roleBody, roleParams, roleReplacement } from '#contract/role'
import { defined } from '../../defined.ts'
import { endpoint } from '../../endpoint.ts'
import { roleAnswer } from '../../role-shape.ts'

export const replaceRole = endpoint({
  method: 'PUT',
  path: '/api/v1/roles/:name',
  access: 'roles:update',
  group: 'roles',
  summary: 'Replace what a role allows and denies',
  params: roleParams,
  body: roleReplacement,
  status: 200,
  answer: roleBody,

  async handle({ roles }, { params, body: { permissions, deny, description } }) {
    return roleAnswer(await roles.replace(params.name, { permissions, deny, ...defined({ description }) }))
  },
})
