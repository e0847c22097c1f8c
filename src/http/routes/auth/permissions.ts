import { permissionsAnswer } from '#contract/auth'
import { allActions } from '#policy/permission'
import { endpoint } from '../../endpoint.ts'

export const getPermissions = endpoint({
  method: 'GET',
  path: '/api/v1/auth/permissions',
  access: 'self',
  group: 'auth',
  summary: 'What you may really do',
  status: 200,
  answer: permissionsAnswer,

  handle({ policy }, { principal }) {
    const allowed = allActions().filter((action) => policy.decide(principal, action).allowed)
    const byResource = Map.groupBy(allowed, (action) => action.split(':')[0] ?? '')
    const permissions = Array.from(byResource, ([resource, actions]) => [
      resource,
      actions.map((action) => action.slice(resource.length + 1)),
    ])
    return { user_id: principal.id, permissions: Object.fromEntries(permissions) as Record<string, string[]> }
  },
})
