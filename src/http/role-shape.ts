import type { ConditionBody, PermissionBody, RoleBody } from '#contract/role'
import type { Condition } from '#policy/condition'
import type { WrittenPermission } from '#policy/permission'
import type { RoleRecord } from '#policy/role-registry'
import type { Role } from '#policy/roles'
import { defined } from './defined.ts'
import { isoTime } from './page.ts'

/** A role of an operator as answers show it. */
export function roleAnswer(role: RoleRecord): RoleBody {
  return {
    name: role.name,
    description: role.description ?? null,
    permissions: role.permissions.map(permissionBody),
    deny: role.deny.map(permissionBody),
    built_in: false,
    created_at: isoTime(role.createdAt),
    updated_at: isoTime(role.updatedAt),
  }
}

export function builtInAnswer({ name, allow, deny }: Role): RoleBody {
  return {
    name,
    description: null,
    permissions: written(allow),
    deny: written(deny),
    built_in: true,
    created_at: null,
    updated_at: null,
  }
}

function written(permissions: Role['allow']): PermissionBody[] {
  return permissions.map((permission) => permissionBody(permission.written))
}

function permissionBody(written: WrittenPermission): PermissionBody {
  if (typeof written === 'string') return written
  const { servers, namespaces, categories, tags, readOnly, destructive } = written.when
  const { maxSecurityLevel: max, minSecurityLevel: min } = written.when
  const lists = { servers: copied(servers), namespaces: copied(namespaces), categories: copied(categories) }
  const levels = { max_security_level: max, min_security_level: min }
  const when = defined({ ...lists, tags: copied(tags), ...levels, read_only: readOnly, destructive })
  return { permission: written.permission, when }
}

/** What a role's body says, as the policy has it. */
export function permissionsOf(bodies: readonly PermissionBody[]): WrittenPermission[] {
  return bodies.map((body) =>
    typeof body === 'string' ? body : { permission: body.permission, when: conditionOf(body.when) },
  )
}

function conditionOf(when: ConditionBody): Condition {
  const { max_security_level: maxSecurityLevel, min_security_level: minSecurityLevel, read_only: readOnly } = when
  const { servers, namespaces, categories, tags, destructive } = when
  return defined({
    servers,
    namespaces,
    categories,
    tags,
    maxSecurityLevel,
    minSecurityLevel,
    readOnly,
    destructive,
  })
}

function copied(texts: readonly string[] | undefined): string[] | undefined {
  return texts && [...texts]
}
