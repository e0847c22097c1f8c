import type { RoleBody } from '#contract/role'
import type { RoleRecord } from '#policy/role-registry'
import type { Role } from '#policy/roles'
import { isoTime } from './page.ts'

/** A role of an operator as answers show it. */
export function roleAnswer(role: RoleRecord): RoleBody {
  return {
    name: role.name,
    description: role.description ?? null,
    permissions: [...role.permissions],
    deny: [...role.deny],
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

function written(permissions: Role['allow']): string[] {
  return permissions.map(({ text }) => text)
}
