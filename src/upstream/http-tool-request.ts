import type { HttpToolRecord } from '#registry/records'
import { AppError } from '#kernel/errors'
import { editObject, elementsOf, membersOf } from '#kernel/json-text'

/** An HTTP request that stands for one tool call. */
export interface HttpToolRequest {
  readonly origin: string
  readonly path: string
  readonly method: HttpToolRecord['method']
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

type Place = 'path' | 'query' | 'header' | 'body'

/** One argument, its value unparsed. */
interface Placed {
  readonly name: string
  readonly text: string
  readonly place: Place
}

/**
 * Maps arguments to a request: each goes where `mapping` says, else into its `{place}` of the endpoint, else into the
 * query (GET, DELETE) or the JSON body. The body is the raw text of the arguments without what went elsewhere.
 */
export function httpToolRequest(tool: HttpToolRecord, argsText: string): HttpToolRequest {
  const placed: Placed[] = membersOf(argsText).map(({ key: name, start, end }) => {
    return { name, text: argsText.slice(start, end), place: placeOf(tool, name) }
  })
  const url = filledAddress(tool, placed)
  for (const { name, text } of placed.filter(({ place }) => place === 'query')) {
    for (const each of text.startsWith('[') ? elementsOf(text) : [text]) url.searchParams.append(name, plain(each))
  }
  const own = placed
    .filter(({ place }) => place === 'header')
    .map(({ name, text }) => [name.toLowerCase(), headerText(plain(text))])
  const elsewhere = placed.filter(({ place }) => place !== 'body').map(({ name }) => [name, undefined])
  const hasBody = tool.method !== 'GET' && tool.method !== 'DELETE'
  const hasBodyMapped = placed.some(({ place }) => place === 'body')
  return {
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: tool.method,
    headers: {
      accept: 'application/json, text/*;q=0.9, */*;q=0.1',
      ...(hasBody || hasBodyMapped ? { 'content-type': 'application/json' } : {}),
      ...lowerCased(tool.headers),
      ...Object.fromEntries(own),
    },
    ...(hasBody || hasBodyMapped ? { body: editObject(argsText, Object.fromEntries(elsewhere)) } : {}),
  }
}

/** A whole segment of dots would lead to another address than the one that was checked. */
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?=[/?#]|$)/i

function filledAddress({ endpoint }: HttpToolRecord, placed: readonly Placed[]): URL {
  const filled = placed
    .filter(({ place }) => place === 'path')
    .reduce((url, { name, text }) => url.replaceAll(`{${name}}`, addressText(plain(text))), endpoint)
  const left = /\{([A-Za-z0-9_.-]+)\}/.exec(filled)?.[1]
  if (left !== undefined)
    throw new AppError('validation_error', `The argument ${left} is missing: the address needs it`)
  if (DOT_SEGMENT.test(filled) && !DOT_SEGMENT.test(endpoint))
    throw new AppError('validation_error', 'An argument for the address must not be "." or ".."')
  return new URL(filled)
}

function addressText(text: string): string {
  if (!text.isWellFormed())
    throw new AppError('validation_error', 'An argument for the address holds half of a surrogate pair')
  return encodeURIComponent(text)
}

function placeOf(tool: HttpToolRecord, name: string): Place {
  const mapped = Object.hasOwn(tool.mapping ?? {}, name) ? tool.mapping?.[name] : undefined
  if (mapped) return mapped
  if (tool.endpoint.includes(`{${name}}`)) return 'path'
  return tool.method === 'GET' || tool.method === 'DELETE' ? 'query' : 'body'
}

/** A text without its quotes, everything else as it was written: numbers keep their digits. */
function plain(text: string): string {
  return text.startsWith('"') ? (JSON.parse(text) as string) : text
}

function headerText(text: string): string {
  if (/[^\t\x20-\x7e\x80-\xff]/.test(text))
    throw new AppError('validation_error', 'An argument for a header holds characters that no header can carry')
  return text
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
