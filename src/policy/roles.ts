import { readPermission, type Permission, type WrittenPermission } from './permission.ts'

/** What who has it may do. Deny wins, also over what other roles allow. */
export interface Role {
  readonly name: string
  readonly allow: readonly Permission[]
  readonly deny: readonly Permission[]
}

interface WrittenRole {
  readonly name: string
  readonly permissions: readonly WrittenPermission[]
  readonly deny: readonly WrittenPermission[]
}

const READ = ['tools:read', 'servers:read', 'namespaces:read', 'searches:read', 'health:read']
const USE = [...READ, 'tools:execute', 'prompts:use', 'resources:use']
const DEVELOP = [...USE, 'tools:*', 'namespaces:*', 'executions:read', 'searches:*']
const AUDIT = [...READ, 'executions:read', 'audit:read']
const OPERATE = [...DEVELOP, 'servers:*', 'metrics:read', 'breakers:*', 'settings:*', 'cache:*']

/** The roles that every gateway has: the auditor, who reads what others did, and the others from the least to the most. */
export const BUILT_IN_ROLES: readonly Role[] = [
  role('auditor', AUDIT),
  role('viewer', READ),
  role('user', USE),
  role('developer', DEVELOP),
  role('operator', OPERATE),
  role('admin', ['*:*']),
]

function role(name: string, permissions: readonly string[]): Role {
  return roleOf({ name, permissions, deny: [] })
}

/** A role out of its permissions as they are written. Throws `validation_error` for one that is none. */
export function roleOf({ name, permissions, deny }: WrittenRole): Role {
  return { name, allow: permissions.map(readPermission), deny: deny.map(readPermission) }
}

/** What could be had by a role and by its going: all that it allows and all that it denies. */
export function freed({ name, permissions, deny }: WrittenRole): Role {
  return roleOf({ name, permissions: [...permissions, ...deny], deny: [] })
}
