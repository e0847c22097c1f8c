import { AppError, ValidationError } from '#kernel/errors'
import { readPermission } from './permission.ts'
import type { Asker, LivePolicy } from './policy.ts'
import { BUILT_IN_ROLES, roleOf, type Role } from './roles.ts'

const PERMISSIONS_MAX = 1000
const ROLES_MAX = 1000

/** A role that an operator made. */
export interface RoleRecord {
  readonly id: string
  readonly name: string
  readonly description?: string
  /** As they are written: `tools:execute:files__*`. */
  readonly permissions: readonly string[]
  readonly deny: readonly string[]
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

/** Keeps roles over restarts. `insert` rejects with `conflict` when the name is taken. */
export interface RoleStore {
  list(): Promise<RoleRecord[]>
  insert(role: RoleRecord): Promise<void>
  update(role: RoleRecord): Promise<void>
  delete(id: string): Promise<boolean>
}

type RoleDraft = Pick<RoleRecord, 'name' | 'description' | 'permissions' | 'deny'>

/** The roles there are: those that every gateway has, and the operator's. */
export interface RoleRegistry {
  builtIn(): readonly Role[]
  custom(): readonly RoleRecord[]
  /** Or AppError `not_found`; `conflict` for one that is built in. */
  get(name: string): RoleRecord
  /** What the roles of somebody allow, as it is written. */
  permissionsOf(asker: Pick<Asker, 'roles'>): string[]
  /** In force, and durable, before it resolves. */
  create(draft: RoleDraft): Promise<RoleRecord>
  replace(name: string, draft: Omit<RoleDraft, 'name'>): Promise<RoleRecord>
  remove(name: string): Promise<void>
}

export interface RoleDeps {
  readonly store: RoleStore
  readonly policy: LivePolicy
  /** Epoch milliseconds. */
  now(): number
  newId(): string
}

export async function openRoles({ store, policy, now, newId }: RoleDeps): Promise<RoleRegistry> {
  const byName = new Map((await store.list()).map((role) => [role.name, role]))
  let all: readonly Role[] = BUILT_IN_ROLES
  const enforce = (): void => {
    all = [...BUILT_IN_ROLES, ...[...byName.values()].map(roleOf)]
    policy.use(all)
  }
  const get = (name: string): RoleRecord => {
    refuseBuiltIn(name)
    const role = byName.get(name)
    if (!role) throw new AppError('not_found', `There is no role ${name}`, { details: { name } })
    return role
  }
  enforce()
  return {
    builtIn: () => BUILT_IN_ROLES,
    custom: () => [...byName.values()],
    get,
    permissionsOf: ({ roles }) => {
      const own = all.filter(({ name }) => roles.includes(name))
      return [...new Set(own.flatMap(({ allow }) => allow.map(({ text }) => text)))]
    },
    async create(draft) {
      refuseBuiltIn(draft.name)
      check(draft)
      if (byName.size >= ROLES_MAX) throw new AppError('conflict', `There are ${ROLES_MAX} roles already`)
      const role = { ...draft, id: newId(), createdAt: now(), updatedAt: now() }
      await store.insert(role)
      byName.set(role.name, role)
      enforce()
      return role
    },
    async replace(name, draft) {
      const { id, createdAt } = get(name)
      check(draft)
      const role = { ...draft, id, name, createdAt, updatedAt: now() }
      await store.update(role)
      byName.set(name, role)
      enforce()
      return role
    },
    async remove(name) {
      const { id } = get(name)
      await store.delete(id)
      byName.delete(name)
      enforce()
    },
  }
}

function refuseBuiltIn(name: string): void {
  if (BUILT_IN_ROLES.some((role) => role.name === name))
    throw new AppError('conflict', `The role ${name} is built in and stays as it is`, { details: { name } })
}

function check({ permissions, deny }: Pick<RoleDraft, 'permissions' | 'deny'>): void {
  const all = [...permissions, ...deny]
  if (all.length > PERMISSIONS_MAX) throw new ValidationError(`A role has at most ${PERMISSIONS_MAX} permissions`)
  all.forEach(readPermission)
}
