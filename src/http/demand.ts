import type { ToolChange } from '#contract/tool'
import type { Principal } from '#identity/principal'
import { AppError, ValidationError } from '#kernel/errors'
import type { JsonObject } from '#kernel/json'
import type { Facts } from '#policy/condition'
import type { Action } from '#policy/permission'
import type { Role } from '#policy/roles'
import type { CatalogTool } from '#registry/catalog-view'
import type { NamespaceRecord, UpstreamRecord } from '#registry/records'
import { toolFacts } from '#policy/tool-facts'
import { legalName } from '#registry/exposed-names'
import type { HttpToolDraft } from '#registry/registry-api'
import type { ApiDeps } from './api-deps.ts'
import { defined } from './defined.ts'
import { findTool, unknownTool } from './find-tool.ts'

/** Who asks. */
interface Asked {
  readonly principal: Principal
}

type Judge = Pick<ApiDeps, 'policy'>

/** What a thing is called and what is known of it. */
interface Thing {
  readonly name: string
  readonly facts?: Facts
}

/** Refuses with `permission_denied` who may not do this with a thing of this name. */
export function demand({ policy }: Judge, { principal }: Asked, action: Action, { name, facts }: Thing): void {
  if (!policy.decide(principal, action, name, facts).allowed) throw denied(action)
}

/** The refusal of an action. */
export function denied(action: Action): AppError {
  return new AppError('permission_denied', `This needs the permission ${action}`, { details: { permission: action } })
}

/** The tool that an address means, for who may do this with it. What may not be read is as if it were not there. */
export function toolFor(
  context: Pick<ApiDeps, 'registry' | 'policy' | 'views'>,
  asked: Asked,
  key: string,
  action: Action,
): CatalogTool {
  const tool = findTool(context.registry, key)
  if (!tool || !context.views.mayRead(asked.principal, tool)) throw unknownTool(key)
  demand(context, asked, action, { name: tool.catalogName, facts: toolFacts(tool) })
  return tool
}

/** An HTTP tool that is to be. */
export function draftThing(draft: HttpToolDraft): Thing {
  const { name, annotations = {} } = draft
  return { name: legalName(name), facts: toolFacts({ ...draft, server: 'http', definition: { annotations } }) }
}

/** A tool as a change would leave it: nobody changes it into what he may not change. */
export function changedThing(tool: CatalogTool, change: ToolChange): Thing {
  const { name, category = tool.category, tags = tool.tags, security_level: level = tool.securityLevel } = change
  const { annotations = tool.definition['annotations'] } = change
  const definition = annotations === undefined ? {} : { annotations: annotations as JsonObject }
  const after = { server: tool.server, ...defined({ category }), tags, securityLevel: level, definition }
  return { name: name === undefined ? tool.catalogName : legalName(name), facts: toolFacts(after) }
}

/** The same for a server, by its id or name. */
export function serverFor(
  context: Pick<ApiDeps, 'registry' | 'policy'>,
  asked: Asked,
  key: string,
  action: Action,
): UpstreamRecord {
  const { upstreams } = context.registry
  const record = upstreams.find(key)
  if (!record || !maySeeServer(context, asked, record)) throw upstreams.unknown(key)
  demand(context, asked, action, serverThing(record.name))
  return record
}

export function maySeeServer({ policy }: Judge, { principal }: Asked, { name }: UpstreamRecord): boolean {
  return policy.decide(principal, 'servers:read', name, { server: name }).allowed
}

/** The same for a namespace. */
export function namespaceFor(
  context: Pick<ApiDeps, 'registry' | 'policy'>,
  asked: Asked,
  key: string,
  action: Action,
): NamespaceRecord {
  const { namespaces } = context.registry
  const record = namespaces.find(key)
  if (!record || !maySeeNamespace(context, asked, record)) throw namespaces.unknown(key)
  demand(context, asked, action, namespaceThing(record.name))
  return record
}

export function maySeeNamespace({ policy }: Judge, { principal }: Asked, { name }: NamespaceRecord): boolean {
  const isOpen = principal.namespaces?.includes(name) ?? true
  return isOpen && policy.decide(principal, 'namespaces:read', name, { namespace: name }).allowed
}

export function serverThing(name: string): Thing {
  return { name, facts: { server: name } }
}

export function namespaceThing(name: string): Thing {
  return { name, facts: { namespace: name } }
}

/** Nobody gives what he has not, and nobody takes hold of who has more. */
export function demandAllOf({ policy }: Judge, { principal }: Asked, roles: readonly Role[]): void {
  const beyond = roles.find((role) => !policy.covers(principal, role))
  if (!beyond) return
  throw new AppError('permission_denied', `The role ${beyond.name} may more than you can give`, {
    details: { role: beyond.name },
  })
}

/** The same for roles by their names, which must be there. */
export function demandRoles(context: Pick<ApiDeps, 'policy' | 'roles'>, asked: Asked, names: readonly string[]): void {
  const roles = context.roles.named(names)
  const unknown = names.find((name) => !roles.some((role) => role.name === name))
  if (unknown !== undefined) throw new ValidationError(`There is no role ${unknown}`, { field: 'roles' })
  demandAllOf(context, asked, roles)
}

/** The same for the roles that a user has. Rejects with `not_found`. */
export async function demandUser(
  context: Pick<ApiDeps, 'policy' | 'roles' | 'identity'>,
  asked: Asked,
  id: string,
): Promise<void> {
  const { roles } = await context.identity.users.find(id)
  demandAllOf(context, asked, context.roles.named(roles))
}
