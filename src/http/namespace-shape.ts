import type { NamespaceBody, NamespaceReplacement } from '#contract/namespace'
import type { NamespaceRecord } from '#registry/records'
import type { NamespaceDraft, Registry } from '#registry/registry-api'
import { defined } from './defined.ts'
import { isoTime } from './page.ts'

/** A namespace as answers show it. */
export function namespaceAnswer({ catalog }: Pick<Registry, 'catalog'>, record: NamespaceRecord): NamespaceBody {
  return {
    namespace_id: record.id,
    name: record.name,
    description: record.description ?? null,
    servers: record.servers ? [...record.servers] : null,
    tools: { include: [...record.include], exclude: [...record.exclude] },
    expose: record.expose,
    overrides: { ...record.overrides },
    endpoint: `/mcp/${record.name}`,
    tool_count: catalog.view(record.name)?.tools.length ?? 0,
    origin: record.origin,
    created_at: isoTime(record.createdAt),
    updated_at: isoTime(record.updatedAt),
  }
}

/** What a registration or replacement asks for, defaults filled in. */
export function namespaceDraft(body: NamespaceReplacement & { readonly name: string }): NamespaceDraft {
  const overrides = Object.entries(body.overrides ?? {}).map(([tool, override]) => [tool, defined(override)] as const)
  return {
    name: body.name,
    include: body.tools?.include ?? [],
    exclude: body.tools?.exclude ?? [],
    expose: body.expose ?? 'all',
    overrides: Object.fromEntries(overrides),
    ...(body.description === undefined ? {} : { description: body.description }),
    ...(body.servers === undefined ? {} : { servers: body.servers }),
  }
}
