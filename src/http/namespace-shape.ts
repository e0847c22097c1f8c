import type { NamespaceBody, NamespaceReplacement } from '#contract/namespace'
import type { NamespaceRecord } from '#registry/records'
import type { NamespaceDraft } from '#registry/registry-api'
import type { ApiDeps } from './api-deps.ts'
import { cacheRuleBody, cacheRuleOf } from './cache-shape.ts'
import { defined } from './defined.ts'
import { isoTime } from './page.ts'

/** A namespace as answers show it. */
export function namespaceAnswer(
  { registry, exposureOf }: Pick<ApiDeps, 'registry' | 'exposureOf'>,
  record: NamespaceRecord,
): NamespaceBody {
  const view = registry.catalog.view(record.name)
  const { now, tokens } = view ? exposureOf(view) : NOTHING
  return {
    namespace_id: record.id,
    name: record.name,
    description: record.description ?? null,
    servers: record.servers ? [...record.servers] : null,
    tools: { include: [...record.include], exclude: [...record.exclude] },
    expose: record.expose,
    expose_now: now,
    pinned: [...(record.pinned ?? [])],
    definition_tokens: tokens,
    overrides: { ...record.overrides },
    cache: cacheRuleBody(record.cache),
    endpoint: `/mcp/${record.name}`,
    tool_count: view?.tools.length ?? 0,
    origin: record.origin,
    created_at: isoTime(record.createdAt),
    updated_at: isoTime(record.updatedAt),
  }
}

/** Of a namespace that was removed while we answer. */
const NOTHING = { now: 'all', tokens: { all: 0, exposed: 0 } } as const

/** What a registration or replacement asks for, defaults filled in. */
export function namespaceDraft(body: NamespaceReplacement & { readonly name: string }): NamespaceDraft {
  const overrides = Object.entries(body.overrides ?? {}).map(([tool, override]) => [tool, defined(override)] as const)
  return {
    name: body.name,
    include: body.tools?.include ?? [],
    exclude: body.tools?.exclude ?? [],
    expose: body.expose ?? 'all',
    pinned: body.pinned ?? [],
    overrides: Object.fromEntries(overrides),
    cache: cacheRuleOf(body.cache) ?? null,
    ...(body.description === undefined ? {} : { description: body.description }),
    ...(body.servers === undefined ? {} : { servers: body.servers }),
  }
}
