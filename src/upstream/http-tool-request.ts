import type { HttpToolRecord } from '#registry/records'
import { AppError } from '#kernel/errors'
import { objectAt, type JsonObject, type JsonValue } from '#kernel/json'
import { editObject } from '#kernel/json-text'

/** An HTTP request that stands for one tool call. */
export interface HttpToolRequest {
  readonly origin: string
  readonly path: string
  readonly method: HttpToolRecord['method']
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

type Place = 'path' | 'query' | 'header' | 'body'

/**
 * Maps arguments to a request: each goes where `mapping` says, else into its `{place}` of the endpoint, else into the
 * query (GET, DELETE) or the JSON body. The body is the raw text of the arguments without what went elsewhere.
 */
export function httpToolRequest(tool: HttpToolRecord, args: JsonObject, argsText: string): HttpToolRequest {
  const placed = Object.entries(args).map(([name, value]) => ({ name, value, place: placeOf(tool, name) }))
  const filled = placed
    .filter(({ place }) => place === 'path')
    .reduce((url, { name, value }) => url.replaceAll(`{${name}}`, encodeURIComponent(plain(value))), tool.endpoint)
  const left = /\{([A-Za-z0-9_.-]+)\}/.exec(filled)?.[1]
  if (left !== undefined)
    throw new AppError('validation_error', `The argument ${left} is missing: the address needs it`)
  const url = new URL(filled)
  for (const { name, value } of placed.filter(({ place }) => place === 'query')) {
    for (const each of Array.isArray(value) ? (value as JsonValue[]) : [value])
      url.searchParams.append(name, plain(each))
  }
  const own = placed
    .filter(({ place }) => place === 'header')
    .map(({ name, value }) => [name.toLowerCase(), headerText(plain(value))])
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

function placeOf(tool: HttpToolRecord, name: string): Place {
  const mapped = tool.mapping?.[name]
  if (mapped) return mapped
  if (tool.endpoint.includes(`{${name}}`)) return 'path'
  return tool.method === 'GET' || tool.method === 'DELETE' ? 'query' : 'body'
}

function plain(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function headerText(text: string): string {
  // eslint-disable-next-line no-control-regex -- what may not stand in a header is just what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text))
    throw new AppError('validation_error', 'An argument for a header holds control characters')
  return text
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

/** The arguments of a tools/call, as value. */
export function callArguments(params: JsonObject): JsonObject {
  return objectAt(params, 'arguments') ?? {}
}
