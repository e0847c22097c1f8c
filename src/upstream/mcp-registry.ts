import type { Dispatcher } from 'undici'
import { z } from 'zod'
import { AppError } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import { askHttp } from './ask-http.ts'
import type { DiscoverySource, FoundServer } from './found-server.ts'
import { foundInRegistry, registryEntry } from './registry-entry.ts'

const PAGES_MAX = 10
const PAGE_SIZE = 100
const SERVERS_MAX = 200
const PAGE_BYTES_MAX = 8 * 1024 * 1024
const PAGE_TIMEOUT_MS = 15_000

const pageSchema = z.object({
  servers: z.array(z.unknown()).nullable(),
  metadata: z.object({ nextCursor: z.string().nullish() }).optional(),
})

export interface RegistryDeps {
  readonly dispatcher: Dispatcher
  readonly log: Logger
}

type RegistrySource = Extract<DiscoverySource, { kind: 'registry' }>

/**
 * The servers that an MCP registry lists (API v0.1), the newest version of each. Rejects with AppError when it cannot be
 * reached or answers something else. A list longer than we take is cut and the log says so: `search` narrows it.
 */
export async function searchRegistry(
  source: RegistrySource,
  { dispatcher, log }: RegistryDeps,
  signal: AbortSignal,
): Promise<FoundServer[]> {
  const found = new Map<string, FoundServer>()
  let cursor: string | undefined
  for (let pages = 0; pages < PAGES_MAX && found.size < SERVERS_MAX; pages++) {
    const page = await readPage(pageUrl(source, cursor), dispatcher, signal)
    for (const server of page.servers) if (!found.has(server.name)) found.set(server.name, server)
    cursor = page.nextCursor
    if (cursor === undefined) break
  }
  if (cursor !== undefined || found.size > SERVERS_MAX) {
    log.warn(
      { registry: source.url, taken: Math.min(found.size, SERVERS_MAX) },
      'registry lists more servers than are taken',
    )
  }
  return [...found.values()].slice(0, SERVERS_MAX)
}

function pageUrl({ url, search }: RegistrySource, cursor: string | undefined): URL {
  const page = new URL(url)
  page.pathname = `${page.pathname.replace(/\/+$/, '')}/v0.1/servers`
  page.searchParams.set('limit', String(PAGE_SIZE))
  page.searchParams.set('version', 'latest')
  if (search) page.searchParams.set('search', search)
  if (cursor !== undefined) page.searchParams.set('cursor', cursor)
  return page
}

interface Page {
  readonly servers: readonly FoundServer[]
  readonly nextCursor?: string
}

async function readPage(url: URL, dispatcher: Dispatcher, signal: AbortSignal): Promise<Page> {
  const { status, text } = await askHttp(dispatcher, {
    url,
    method: 'GET',
    headers: { accept: 'application/json' },
    bytesMax: PAGE_BYTES_MAX,
    signal: AbortSignal.any([signal, AbortSignal.timeout(PAGE_TIMEOUT_MS)]),
  })
  if (status !== 200) throw new AppError('upstream_unavailable', `The registry answered HTTP ${status}`)
  const { data } = pageSchema.safeParse(parsed(text))
  if (!data) throw new AppError('upstream_protocol_error', 'The registry did not answer as an MCP registry does')
  const cursor = data.metadata?.nextCursor
  // An entry of another shape is somebody's mistake and no reason to lose the others.
  const entries = (data.servers ?? []).map((each) => registryEntry.safeParse(each).data)
  const servers = entries.flatMap((entry) => (entry ? (foundInRegistry(entry) ?? []) : []))
  return { servers, ...(cursor ? { nextCursor: cursor } : {}) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
