import { basename } from 'node:path'
import type { ServerRegistration } from '#contract/server'
import { httpTransport } from '#kernel/http-transport'
import { isJsonObject, objectAt, stringAt, type JsonObject, type JsonValue } from '#kernel/json'
import type { Environment } from '#config/env'

/** A server of a client's configuration: what the gateway is asked for, or why it is left out. */
export type ForeignServer =
  | { readonly name: string; readonly registration: ServerRegistration }
  | { readonly name: string; readonly skipped: string }

export interface ForeignContext {
  readonly env: Environment
  readonly cwd: string
  readonly home: string
  /** Base address of the gateway: an entry that leads there is our own. */
  readonly gatewayUrl: string
}

/** The servers of a client's configuration file, whichever client wrote it. */
export function foreignServers(tree: unknown, context: ForeignContext): ForeignServer[] {
  const found = new Map<string, ForeignServer>()
  for (const section of sectionsOf(tree as JsonValue, context.cwd)) {
    for (const [name, entry] of Object.entries(section)) {
      if (!found.has(name)) found.set(name, foreignServer(name, entry, context))
    }
  }
  return [...found.values()]
}

/** Most specific first: Claude Code keeps servers by project, VS Code below `mcp` in its settings. */
function sectionsOf(tree: JsonValue, cwd: string): JsonObject[] {
  const roots = [objectAt(objectAt(tree, 'projects'), cwd), tree, objectAt(tree, 'mcp')]
  return roots
    .flatMap((root) => [objectAt(root, 'mcpServers'), objectAt(root, 'servers')])
    .filter((section) => section !== undefined)
}

function foreignServer(name: string, entry: JsonValue | undefined, context: ForeignContext): ForeignServer {
  if (!isJsonObject(entry)) return { name, skipped: 'it is not a group of keys' }
  const missing = new Set<string>()
  const filled = fillPlaces(entry, context, missing)
  const registration = registrationOf(name, filled)
  if (!registration) return { name, skipped: 'it has neither a command nor a URL' }
  if (isOurs(registration, context.gatewayUrl)) return { name, skipped: 'it is this gateway' }
  if (missing.size > 0) return { name, skipped: `nobody here knows ${[...missing].join(', ')}` }
  if (entry['disabled'] === true) return { name, skipped: 'it is disabled there' }
  return { name, registration }
}

function registrationOf(name: string, entry: JsonObject): ServerRegistration | undefined {
  const command = stringAt(entry, 'command')
  if (command !== undefined) {
    const { args, cwd } = { args: entry['args'], cwd: stringAt(entry, 'cwd') }
    const env = textsOf(entry['env'])
    return {
      name,
      command,
      args: Array.isArray(args) ? args.map(String) : [],
      env,
      ...(cwd === undefined ? {} : { cwd }),
    }
  }
  const streamable = stringAt(entry, 'httpUrl')
  const url = streamable ?? stringAt(entry, 'url') ?? stringAt(entry, 'serverUrl')
  if (url === undefined) return undefined
  const type = stringAt(entry, 'type') ?? stringAt(entry, 'transport') ?? (streamable === undefined ? '' : 'http')
  return { name, url, headers: textsOf(entry['headers']), transport: httpTransport(url, type) }
}

function textsOf(value: JsonValue | undefined): Record<string, string> {
  const entries = isJsonObject(value) ? Object.entries(value) : []
  return Object.fromEntries(entries.flatMap(([key, text]) => (isScalar(text) ? [[key, String(text)] as const] : [])))
}

function isScalar(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}

/** An entry made for this gateway must not lead the gateway to itself. */
function isOurs({ url, command, args = [] }: ServerRegistration, gatewayUrl: string): boolean {
  if (url !== undefined) return sameGateway(url, gatewayUrl)
  const names = [command ?? '', ...args].map((word) =>
    basename(word.replaceAll('\\', '/')).replace(/\.(js|cmd|exe)$/, ''),
  )
  return names.includes('metamcp') && (args.includes('stdio') || args.includes('serve'))
}

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])

function sameGateway(address: string, gatewayUrl: string): boolean {
  const one = URL.parse(address)
  const other = URL.parse(gatewayUrl)
  if (!one || !other || one.port !== other.port || !/^\/(mcp|sse)(\/|$)/.test(one.pathname)) return false
  return one.hostname === other.hostname || (LOOPBACK.has(one.hostname) && LOOPBACK.has(other.hostname))
}

/** Fills `${NAME}`, `${env:NAME}`, `${NAME:-default}`, `${userHome}` and `${workspaceFolder}` as clients do. */
function fillPlaces(entry: JsonObject, context: ForeignContext, missing: Set<string>): JsonObject {
  const fill = (value: JsonValue | undefined): JsonValue | undefined => {
    if (typeof value === 'string')
      return value.replaceAll(/\$\{([^}]*)\}/g, (whole, place: string) => known(whole, place))
    if (Array.isArray(value)) return value.map((each: JsonValue) => fill(each) ?? null)
    if (!isJsonObject(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fill(each)]))
  }
  const known = (whole: string, place: string): string => {
    const value = placeValue(place, context)
    if (value === undefined) missing.add(whole)
    return value ?? whole
  }
  return fill(entry) as JsonObject
}

function placeValue(place: string, { env, cwd, home }: ForeignContext): string | undefined {
  if (place === 'userHome') return home
  if (place === 'workspaceFolder') return cwd
  const [, name = '', fallback] = /^(?:env:)?([A-Za-z_]\w*)(?::-(.*))?$/s.exec(place) ?? []
  return env[name] || fallback
}
