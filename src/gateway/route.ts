import { AppError, ToolNotFoundError } from '#kernel/errors'
import { matchesGlob } from '#kernel/glob'
import { isJsonObject, objectAt, stringAt } from '#kernel/json'
import type { Principal } from '#identity/principal'
import { digest } from '#kernel/seal'
import type { CatalogEntry, CatalogTool, CatalogView } from '#registry/catalog-view'
import type { Call, RoutedTool, Target, TargetCache } from './call.ts'
import type { VisibleViews } from './visible-views.ts'

/** Finds out where a call goes, by the tables of what its principal sees: a name is never taken apart. */
export function route(views: VisibleViews, call: Call): Target {
  const view = views.view(call.principal, call.namespace)
  if (!view) throw new AppError('not_found', `Unknown namespace: ${call.namespace ?? ''}`)
  switch (call.kind) {
    case 'tool':
      return routeTool(view, call.name)
    case 'prompt':
      return routePrompt(view, call.name)
    case 'resource':
      return usableResource(views, view, call.principal, call.name)
    case 'completion':
      return routeCompletion(views, view, call)
  }
}

function routeTool(view: CatalogView, name: string): Target {
  const tool = view.toolByName.get(name)
  if (!tool) throw new ToolNotFoundError(name)
  return toolTarget(tool)
}

/** A tool's target is the same object as long as the tool is: links keep what they know of it by that. */
const toolTargets = new WeakMap<CatalogTool, Target>()

/** Where calls of this tool go. */
export function toolTarget(tool: CatalogTool): Target {
  const known = toolTargets.get(tool)
  if (known) return known
  const routed = routedTool(tool)
  const target = { ...toTarget(tool, tool.originalName), tool: routed, cache: targetCache(tool, routed) }
  toolTargets.set(tool, target)
  return target
}

function routedTool(tool: CatalogTool): RoutedTool {
  const annotations = objectAt(tool.definition, 'annotations')
  return {
    kind: tool.kind,
    exposedName: tool.exposedName,
    definition: tool.definition,
    ...(tool.inputSchemaText === undefined ? {} : { inputSchemaText: tool.inputSchemaText }),
    readOnly: tool.readOnly ?? annotations?.['readOnlyHint'] === true,
    idempotent: annotations?.['idempotentHint'] === true,
    hasOwnBreaker: tool.hasOwnBreaker ?? false,
    fallback: tool.fallback,
  }
}

/** Only what changes nothing may be answered by what was answered before. */
function targetCache({ cache, id, updatedAt, text }: CatalogTool, { readOnly }: RoutedTool): TargetCache | undefined {
  if (!cache || cache.ttlMs === 0 || !readOnly) return undefined
  return { rule: cache, revision: digest(`${id} ${updatedAt} ${text}`) }
}

function routePrompt(view: CatalogView, name: string): Target {
  const prompt = view.promptByName.get(name)
  if (!prompt) throw new AppError('prompt_not_found', `Unknown prompt: ${name}`, { details: { name } })
  return toTarget(prompt, prompt.originalKey)
}

/** Where a resource is asked for that the principal may use; what it may not use is unknown. */
export function usableResource(views: VisibleViews, view: CatalogView, principal: Principal, uri: string): Target {
  const target = routeResource(view, uri)
  const { namespace } = view
  if (views.mayUseResource(principal, uri, { server: target.server, namespace })) return target
  throw unknownResource(uri)
}

/**
 * By the listed URI, then by template (the most literal one), then by the only upstream that has resources of this scheme,
 * then by the only one that has resources at all: servers may serve more than they list.
 */
function routeResource(view: CatalogView, uri: string): Target {
  const listed = view.resourceByUri.get(uri) ?? templateFor(view, uri)
  if (listed) return toTarget(listed, uri)
  const scheme = uri.slice(0, uri.indexOf(':') + 1)
  const sameScheme = [...view.resources, ...view.templates].filter((entry) => entry.key.startsWith(scheme))
  const capable = view.upstreams.filter(({ snapshot }) => snapshot.capabilities['resources'] !== undefined)
  const owner = onlyOwner(sameScheme) ?? (sameScheme.length === 0 ? onlyOwner(capable) : undefined)
  if (owner) return toTarget(owner, uri)
  throw unknownResource(uri)
}

/** What there is not, and what the caller may not know of. */
function unknownResource(uri: string): AppError {
  return new AppError('resource_not_found', `Unknown resource: ${uri}`, { details: { uri } })
}

/** Of templates that servers wrote: braces without end are looked at once. */
const PLACEHOLDERS = /\{[^{}]*\}/g

function templateFor(view: CatalogView, uri: string): CatalogEntry | undefined {
  const matching = view.templates.filter(({ key }) => matchesGlob(key.replaceAll(PLACEHOLDERS, '*'), uri))
  return matching.toSorted((a, b) => literalLength(b.key) - literalLength(a.key))[0]
}

function literalLength(template: string): number {
  return template.replaceAll(PLACEHOLDERS, '').length
}

function onlyOwner<T extends { upstreamId: string }>(items: readonly T[]): T | undefined {
  const [first] = items
  return items.every((item) => item.upstreamId === first?.upstreamId) ? first : undefined
}

function routeCompletion(views: VisibleViews, view: CatalogView, { params, principal }: Call): Target {
  const ref = params['ref']
  const type = stringAt(ref, 'type')
  const key = stringAt(ref, type === 'ref/prompt' ? 'name' : 'uri')
  if (!isJsonObject(ref) || key === undefined)
    throw new AppError('validation_error', '"ref" must name a prompt or a resource')
  if (type === 'ref/prompt') return routePrompt(view, key)
  const template = view.templates.find((entry) => entry.key === key)
  return template ? toTarget(template, key) : usableResource(views, view, principal, key)
}

function toTarget(owner: Omit<Target, 'originalName' | 'tool' | 'cache'>, originalName: string): Target {
  const { upstreamId, server, timeoutMs, maxConcurrency, breaker, attempts } = owner
  return { upstreamId, server, originalName, timeoutMs, maxConcurrency, breaker, attempts }
}
