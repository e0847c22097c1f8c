import type { z } from 'zod'
import { isJsonObject } from '#kernel/json'
import { readAnswer, type GatewayClient } from './gateway-client.ts'

const PAGE_SIZE = 1000
const PAGES_MAX = 1000

interface ListShape<P extends { readonly total: number }, T> {
  readonly schema: z.ZodType<P>
  readonly items: (page: P) => readonly T[]
  /** The key of the items in the answer. */
  readonly raw: string
}

interface WholeList<T> {
  readonly items: readonly T[]
  /** The same as the gateway sent them, with members that this version does not know. */
  readonly raw: readonly unknown[]
}

/** All pages of a list. `path` may have a query. */
export async function listAll<P extends { readonly total: number }, T>(
  client: GatewayClient,
  path: string,
  shape: ListShape<P, T>,
): Promise<WholeList<T>> {
  const items: T[] = []
  const raw: unknown[] = []
  for (let turn = 0; turn < PAGES_MAX; turn += 1) {
    const query = `limit=${PAGE_SIZE}&offset=${items.length}`
    const answer = await client.get(`${path}${path.includes('?') ? '&' : '?'}${query}`)
    const page = readAnswer(shape.schema, answer, client.url)
    const found = shape.items(page)
    const rawItems: unknown = isJsonObject(answer.value) ? answer.value[shape.raw] : undefined
    items.push(...found)
    if (Array.isArray(rawItems)) raw.push(...(rawItems as unknown[]))
    if (found.length === 0 || items.length >= page.total) break
  }
  return { items, raw }
}
