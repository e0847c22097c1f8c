import { AppError, ValidationError } from '#kernel/errors'
import { checkPermission, type WrittenPermission } from './permission.ts'
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
  readonly permissions: readonly WrittenPermission[]
  readonly deny: readonly WrittenPermission[]
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
  /** Those of these names; a name that no role has is left away. */
  named(names: readonly string[]): readonly Role[]
  /** What the roles of somebody, or of its credential, allow, as it is written. */
  permissionsOf(asker: Asker): string[]
  /** In force, and durable, before it resolves. */
  create(draft: RoleDraft): Promise<RoleRecord>
  replace(name: string, draft: Omit<RoleDraft, 'name'>): Promise<RoleRecord>
  remove(name: string): Promise<void>
  /** Puts in force what the store has now: others may have changed it. */
  reload(): Promise<void>
}

export interface RoleDeps {
  readonly store: RoleStore
  readonly policy: LivePolicy
  /** Told of every change that was made here, once it is durable. */
  changed?(): void
  /** Epoch milliseconds. */
  now(): number
  newId(): string
}

export async function openRoles(deps: RoleDeps): Promise<RoleRegistry> {
  const { store, now, newId } = deps
  const table = createRoleTable(deps)
  const get = (name: string): RoleRecord => {
    refuseBuiltIn(name)
    const role = table.custom().find((each) => each.name === name)
    if (!role) throw new AppError('not_found', `There is no role ${name}`, { details: { name } })
    return role
  }
  await table.reload()
  const named = (names: readonly string[]): readonly Role[] => table.all().filter(({ name }) => names.includes(name))
  return {
    builtIn: () => BUILT_IN_ROLES,
    custom: table.custom,
    get,
    named,
    permissionsOf: ({ roles, permissions }) =>
      permissions ? [...permissions] : [...new Set(named(roles).flatMap(({ allow }) => allow.map(({ text }) => text)))],
    async create(draft) {
      refuseBuiltIn(draft.name)
      check(draft)
      if (table.custom().length >= ROLES_MAX) throw new AppError('conflict', `There are ${ROLES_MAX} roles already`)
      const role = { ...draft, id: newId(), createdAt: now(), updatedAt: now() }
      await store.insert(role)
      table.change((byName) => byName.set(role.name, role))
      return role
    },
    async replace(name, draft) {
      const { id, createdAt } = get(name)
      check(draft)
      const role = { ...draft, id, name, createdAt, updatedAt: now() }
      await store.update(role)
      table.change((byName) => byName.set(name, role))
      return role
    },
    async remove(name) {
      const { id } = get(name)
      await store.delete(id)
      table.change((byName) => byName.delete(name))
    },
    reload: table.reload,
  }
}

/** The operator's roles as they are in force. */
function createRoleTable({ store, policy, changed }: Pick<RoleDeps, 'store' | 'policy' | 'changed'>) {
  const byName = new Map<string, RoleRecord>()
  let all: readonly Role[] = BUILT_IN_ROLES
  let changes = 0
  let loaded: string | undefined
  const enforce = (): void => {
    all = [...BUILT_IN_ROLES, ...[...byName.values()].map(roleOf)]
    policy.use(all)
  }
  const reload = async (): Promise<void> => {
    const before = changes
    const stored = await store.list()
    // What was changed here meanwhile may not be in the list.
    if (before !== changes) return reload()
    const text = JSON.stringify(stored)
    // Roles that are put in force anew make everybody's views anew.
    if (text === loaded) return
    loaded = text
    byName.clear()
    for (const role of stored) byName.set(role.name, role)
    enforce()
  }
  return {
    all: () => all,
    custom: (): readonly RoleRecord[] => [...byName.values()],
    reload,
    change(edit: (roles: Map<string, RoleRecord>) => void): void {
      edit(byName)
      changes += 1
      loaded = undefined
      enforce()
      changed?.()
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
  all.forEach(checkPermission)
}
