import { isJsonObject, stringAt, type JsonObject } from '#kernel/json'
import type { CatalogTool, CatalogUpstream, CatalogView } from '#registry/catalog-view'
import { firstSentence } from './short-text.ts'

/** How much each server may say, tried in turn until all fit; at 0 they have their names and counts alone. */
const SHARES = [160, 100, 60, 30, 0] as const
const TOOL_NAMES_SHOWN = 4

interface ServerPart {
  readonly server: string
  readonly count: number
  readonly about: string
}

/** What kinds of tools a view has, server by server, in stable order and at most `charsMax` characters. */
export function catalogSummary(view: CatalogView, charsMax: number): string {
  const parts = serverParts(view)
  for (const share of SHARES) {
    const text = parts.map((part) => entry(part, share)).join('; ')
    if (text.length <= charsMax) return text
  }
  return asManyAsFit(
    parts.map(({ server }) => firstSentence(server, 40)),
    charsMax,
  )
}

/** The servers whose tools the view shows, in the order of its tools. */
export function serversOf({ tools }: CatalogView): readonly string[] {
  return [...new Set(tools.map(({ server }) => server))]
}

function serverParts(view: CatalogView): readonly ServerPart[] {
  const upstreams = new Map(view.upstreams.map((upstream) => [upstream.server, upstream]))
  return [...Map.groupBy(view.tools, ({ server }) => server)].map(([server, tools]) => ({
    server,
    count: tools.length,
    about: aboutOf(upstreams.get(server), tools),
  }))
}

/** The operator's words about a server, else its own; one that does not describe itself is known by its tools. */
function aboutOf(upstream: CatalogUpstream | undefined, tools: readonly CatalogTool[]): string {
  if (upstream?.description) return upstream.description
  const info = infoOf(upstream?.snapshot.serverInfoText)
  const description = stringAt(info, 'description') || upstream?.snapshot.instructions || namesOf(tools)
  return [stringAt(info, 'title'), description].filter(Boolean).join(': ')
}

function infoOf(serverInfoText: string | undefined): JsonObject {
  const info: unknown = serverInfoText === undefined ? undefined : JSON.parse(serverInfoText)
  return isJsonObject(info) ? info : {}
}

function namesOf(tools: readonly CatalogTool[]): string {
  const names = tools.slice(0, TOOL_NAMES_SHOWN).map(({ originalName }) => originalName)
  return names.join(', ') + (tools.length > TOOL_NAMES_SHOWN ? ', …' : '')
}

function entry({ server, count, about }: ServerPart, share: number): string {
  const said = share === 0 ? '' : firstSentence(about, share).replace(/\.$/, '')
  return `${firstSentence(server, 60)} (${count})${said === '' ? '' : `: ${said}`}`
}

function asManyAsFit(names: readonly string[], charsMax: number): string {
  for (let shown = names.length; shown > 0; shown -= 1) {
    const left = names.length - shown
    const text = names.slice(0, shown).join(', ') + (left === 0 ? '' : ` and ${left} more`)
    if (text.length <= charsMax) return text
  }
  return `${names.length} servers`
}
