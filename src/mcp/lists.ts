import { AppError } from '#kernel/errors'
import { stringAt, type JsonObject } from '#kernel/json'
import { OwnedMap } from '#kernel/owned-map'
import { GATEWAY_INFO, META } from '#kernel/protocol'
import type { Sealer } from '#kernel/seal'
import type { CatalogView } from '#registry/catalog-view'
import type { Era } from '#registry/records'
import { tokensOf } from './definition-tokens.ts'
import { exposureOf } from './exposure.ts'
import { noTokens, type TokenCounts } from './token-ledger.ts'

/** Above this many items a list goes in pages. */
const PAGE_ITEMS = 1000
const CURSOR = 'cursor'
/** How long clients may keep a list of servers that gave no hint: we tell them of changes anyway. */
const TTL_MS = 5000

interface Item {
  readonly key: string
  readonly text: string
}

interface ListMethod {
  readonly member: string
  items(view: CatalogView): readonly Item[]
}

export const LIST_METHODS: Readonly<Record<string, ListMethod>> = {
  'tools/list': {
    member: 'tools',
    items: (view) => exposureOf(view).definitions,
  },
  'prompts/list': { member: 'prompts', items: (view) => view.prompts },
  'resources/list': { member: 'resources', items: (view) => view.resources },
  'resources/templates/list': { member: 'resourceTemplates', items: (view) => view.templates },
}

/** One page of a list. */
interface ListPage {
  /** The `result`. */
  readonly bytes: Buffer
  /** What its definitions of tools count in the client's context. */
  readonly tokens: Readonly<TokenCounts>
}

/** Lists as bytes, made once for each catalog revision, namespace, era and page. */
export interface Lists {
  /** The answer to one list request. AppError `validation_error` for a cursor that is not ours. */
  page(view: CatalogView, method: string, era: Era, params: JsonObject): ListPage
}

/** `isComplete`: false while a server is registered of which nothing is known yet. */
export function createLists(sealer: Sealer, isComplete: () => boolean): Lists {
  const pages = new OwnedMap<CatalogView, ListPage>()
  const start = (items: readonly Item[], method: string, params: JsonObject): number => {
    if (params['cursor'] === undefined) return 0
    const cursor = stringAt(params, 'cursor')
    const opened = cursor === undefined ? undefined : sealer.open(CURSOR, cursor)
    const [sealedMethod, offset, ...lastKey] = opened?.split(' ') ?? []
    if (sealedMethod !== method) throw new AppError('validation_error', 'Unknown cursor')
    // The list may have changed meanwhile: we go on behind the last item that was seen, if it is still there.
    const index = items.findIndex(({ key }) => key === lastKey.join(' '))
    return index < 0 ? Number(offset) : index + 1
  }
  const make = (view: CatalogView, method: string, era: Era, from: number): ListPage => {
    const list = LIST_METHODS[method]
    if (!list) throw new AppError('method_not_found', `Unknown method: ${method}`)
    const items = list.items(view)
    const end = Math.min(from + PAGE_ITEMS, items.length)
    const last = items[end - 1]
    const next = end < items.length && last ? sealer.seal(CURSOR, `${method} ${end} ${last.key}`) : undefined
    const texts = items.slice(from, end).map(({ text }) => text)
    const more = next === undefined ? '' : `,"nextCursor":${JSON.stringify(next)}`
    const bytes = Buffer.from(
      `{"${list.member}":[${texts.join(',')}]${more}${era === 'modern' ? modernMembers(view, isComplete()) : ''}}`,
    )
    return { bytes, tokens: method === 'tools/list' ? pageTokens(view, texts, from) : noTokens() }
  }
  return {
    page(view, method, era, params) {
      const from = params['cursor'] === undefined ? 0 : start(LIST_METHODS[method]?.items(view) ?? [], method, params)
      const key = `${method} ${era} ${from}`
      return pages.get(view, key) ?? pages.set(view, key, make(view, method, era, from))
    },
  }
}

/** Where the meta-tools are listed, the first page stands for all that is not. */
function pageTokens(view: CatalogView, texts: readonly string[], from: number): TokenCounts {
  const { now, tokens } = exposureOf(view)
  const received = tokensOf(texts)
  if (now === 'all') return { wouldHaveReceived: received, received }
  return { wouldHaveReceived: from === 0 ? tokens.all : 0, received }
}

function modernMembers(view: CatalogView, isComplete: boolean): string {
  const members = { resultType: 'complete', ...cachingHints(view, isComplete), _meta: SERVER_STAMP }
  return `,${JSON.stringify(members).slice(1, -1)}`
}

/** The stamp that results of the gateway itself carry (2026-07-28). */
export const SERVER_STAMP: JsonObject = { [META.serverInfo]: { ...GATEWAY_INFO } }

/** The least patient of the parts, which a part that is still to come always is; private as soon as one part is or does not say. */
export function cachingHints(
  view: CatalogView,
  isComplete: boolean,
): { ttlMs: number; cacheScope: 'public' | 'private' } {
  const ttls = view.upstreams.map(({ snapshot }) => snapshot.ttlMs ?? TTL_MS)
  const isPublic = view.upstreams.every(({ snapshot }) => snapshot.cacheScope === 'public')
  return { ttlMs: isComplete ? Math.min(TTL_MS, ...ttls) : 0, cacheScope: isPublic ? 'public' : 'private' }
}
