import { AppError } from '#kernel/errors'
import { isJsonObject, stringAt, type JsonObject } from '#kernel/json'
import { elementsOf, memberText } from '#kernel/json-text'
import { paramHeaders } from '#kernel/param-headers'
import type { PrimitiveText } from '#registry/snapshot'
import { modernHeaders, ownClaim } from './codec.ts'
import type { SessionResult, UpstreamSession } from './session.ts'

const PAGES_MAX = 1000
const ITEMS_MAX = 50_000
const LIST_TIMEOUT_MS = 30_000

export type ListKind = 'tools' | 'prompts' | 'resources' | 'templates'

interface ListPlan {
  readonly method: string
  /** Name of the array in the result, and of the member that identifies an element. */
  readonly member: string
  readonly key: string
  readonly capability: string
}

const PLANS: Readonly<Record<ListKind, ListPlan>> = {
  tools: { method: 'tools/list', member: 'tools', key: 'name', capability: 'tools' },
  prompts: { method: 'prompts/list', member: 'prompts', key: 'name', capability: 'prompts' },
  resources: { method: 'resources/list', member: 'resources', key: 'uri', capability: 'resources' },
  templates: {
    method: 'resources/templates/list',
    member: 'resourceTemplates',
    key: 'uriTemplate',
    capability: 'resources',
  },
}

export const LIST_KINDS: readonly ListKind[] = ['tools', 'prompts', 'resources', 'templates']

/** One list as a whole, and what a modern server said about keeping it. */
export interface DrainedList {
  readonly items: readonly PrimitiveText[]
  readonly ttlMs?: number
  readonly cacheScope?: 'public' | 'private'
}

/**
 * Fetches all pages of one list. Bounded in pages, items and time; a cursor that comes twice is an error.
 * A server without the capability has an empty list and is not asked.
 */
export async function drainList(
  session: UpstreamSession,
  kind: ListKind,
  log: (text: string) => void,
): Promise<DrainedList> {
  const plan = PLANS[kind]
  if (session.agreement.capabilities[plan.capability] === undefined) return { items: [] }
  const signal = AbortSignal.timeout(LIST_TIMEOUT_MS)
  const items: PrimitiveText[] = []
  const seen = new Set<string>()
  let hints: Omit<DrainedList, 'items'> = {}
  for (let cursor: string | undefined; ;) {
    const page = await fetchPage(session, plan, cursor, signal)
    items.push(...readItems(page, plan, session, log))
    hints = mergeHints(hints, page.value)
    cursor = stringAt(page.value, 'nextCursor')
    if (cursor === undefined) return { items: uniqueByKey(items), ...hints }
    if (seen.has(cursor) || seen.size >= PAGES_MAX || items.length > ITEMS_MAX) {
      throw new AppError('upstream_protocol_error', `${session.server} does not come to an end with ${plan.method}`)
    }
    seen.add(cursor)
  }
}

function fetchPage(
  session: UpstreamSession,
  plan: ListPlan,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<SessionResult> {
  const isModern = session.agreement.era === 'modern'
  const params = { ...(cursor === undefined ? {} : { cursor }), ...(isModern ? { _meta: ownClaim() } : {}) }
  const answer = session.request({
    method: plan.method,
    params: () => JSON.stringify(params),
    signal,
    ...(isModern ? { headers: modernHeaders(plan.method, undefined) } : {}),
  })
  return answer.catch((error: unknown) => {
    if (!signal.aborted) throw error
    const message = `The server did not answer ${plan.method} within ${LIST_TIMEOUT_MS / 1000} s`
    throw new AppError('upstream_unavailable', message, { cause: error })
  })
}

function readItems(
  page: SessionResult,
  plan: ListPlan,
  session: UpstreamSession,
  log: (text: string) => void,
): PrimitiveText[] {
  const list = page.value[plan.member]
  if (!Array.isArray(list)) {
    throw new AppError('upstream_protocol_error', `${session.server} answered ${plan.method} without a list`)
  }
  const texts = elementsOf(memberText(page.text, plan.member) ?? '[]')
  return texts.flatMap((text, index) => {
    const item: unknown = list[index]
    const key = isJsonObject(item) ? item[plan.key] : undefined
    if (!isJsonObject(item) || typeof key !== 'string' || key === '') {
      log(`an element of ${plan.method} without "${plan.key}" was left out`)
      return []
    }
    if (!isUsable(item, plan, session)) {
      log(`the tool ${key} was left out: its x-mcp-header annotations are invalid`)
      return []
    }
    return [{ key, text }]
  })
}

/** Toward a modern HTTP server a tool whose header annotations are invalid cannot be called as the specification demands. */
function isUsable(item: JsonObject, plan: ListPlan, session: UpstreamSession): boolean {
  if (plan.member !== 'tools' || session.agreement.era !== 'modern' || !session.transport.hasCallStreams) return true
  return paramHeaders(item['inputSchema']) !== undefined
}

function uniqueByKey(items: readonly PrimitiveText[]): PrimitiveText[] {
  return [...new Map(items.map((item) => [item.key, item])).values()]
}

function mergeHints(before: Omit<DrainedList, 'items'>, page: JsonObject): Omit<DrainedList, 'items'> {
  const { ttlMs, cacheScope } = page
  const ttls = [before.ttlMs, ttlMs].filter((ttl) => typeof ttl === 'number')
  const scopes = [before.cacheScope, cacheScope]
  return {
    ...(ttls.length > 0 ? { ttlMs: Math.min(...ttls) } : {}),
    ...(scopes.includes('private')
      ? { cacheScope: 'private' }
      : scopes.includes('public')
        ? { cacheScope: 'public' }
        : {}),
  }
}
