import { matchesAny } from '#kernel/glob'
import { editObject } from '#kernel/json-text'
import { withDefinition } from './catalog-parts.ts'
import type { CatalogChange, CatalogEntry, CatalogTool, CatalogUpstream, CatalogView } from './catalog-view.ts'
import { suffixedName } from './exposed-names.ts'
import type { NamespaceRecord } from './records.ts'

/** Everything that is enabled, in stable order: what the views are cut from. */
export interface CatalogWhole {
  readonly tools: readonly CatalogTool[]
  readonly prompts: readonly CatalogEntry[]
  readonly resources: readonly CatalogEntry[]
  readonly templates: readonly CatalogEntry[]
  readonly upstreams: readonly CatalogUpstream[]
}

/** The part of the whole that a namespace shows; without a namespace all of it. */
export function makeView(whole: CatalogWhole, revision: number, namespace?: NamespaceRecord): CatalogView {
  const hasServer = (item: { server: string }): boolean => namespace?.servers?.includes(item.server) ?? true
  const isShown = (name: string): boolean =>
    !namespace ||
    ((namespace.include.length === 0 || matchesAny(namespace.include, name)) && !matchesAny(namespace.exclude, name))
  const tools = namespace
    ? inNamespace(
        whole.tools.filter((tool) => hasServer(tool) && isShown(tool.exposedName)),
        namespace,
      )
    : whole.tools
  const pins = namespace?.pinned ?? []
  const prompts = whole.prompts.filter((prompt) => hasServer(prompt) && isShown(prompt.key))
  const resources = firstOfEach(whole.resources.filter(hasServer))
  return {
    revision,
    ...(namespace ? { namespace: namespace.name } : {}),
    expose: namespace?.expose ?? 'all',
    tools,
    pinned: pins.length === 0 ? [] : tools.filter((tool) => matchesAny(pins, tool.exposedName)),
    toolByName: byName(tools),
    prompts,
    promptByName: new Map(prompts.map((prompt) => [prompt.key, prompt])),
    resources,
    resourceByUri: new Map(resources.map((resource) => [resource.key, resource])),
    templates: firstOfEach(whole.templates.filter(hasServer)),
    upstreams: whole.upstreams.filter(hasServer),
  }
}

/** Without a pair for each of thousands. */
function byName(tools: readonly CatalogTool[]): ReadonlyMap<string, CatalogTool> {
  const named = new Map<string, CatalogTool>()
  for (const tool of tools) named.set(tool.exposedName, tool)
  return named
}

/** Two upstreams with one URI: the first in stable order has it, in the list as in the routing. */
function firstOfEach(entries: readonly CatalogEntry[]): CatalogEntry[] {
  const seen = new Map<string, CatalogEntry>()
  for (const entry of entries) if (!seen.has(entry.key)) seen.set(entry.key, entry)
  return [...seen.values()]
}

/** The tools as a namespace calls and describes them. A name that another tool has already gets a suffix. */
function inNamespace(all: readonly CatalogTool[], { overrides, cache }: NamespaceRecord): readonly CatalogTool[] {
  const tools = cache ? all.map((tool) => (tool.cache ? tool : withDefinition({ ...tool, cache }))) : all
  const overrideOf = ({ exposedName }: CatalogTool): NamespaceRecord['overrides'][string] =>
    (Object.hasOwn(overrides, exposedName) ? overrides[exposedName] : undefined) ?? {}
  const taken = new Set(tools.filter((tool) => overrideOf(tool).name === undefined).map((tool) => tool.exposedName))
  return tools.map((tool) => {
    const { name: wanted, description } = overrideOf(tool)
    if (wanted === undefined && description === undefined) return tool
    const isTaken = wanted !== undefined && taken.has(wanted)
    const exposedName = isTaken ? suffixedName(wanted, tool.id) : (wanted ?? tool.exposedName)
    taken.add(exposedName)
    return shownAs(tool, exposedName, description)
  })
}

function shownAs(tool: CatalogTool, exposedName: string, description: string | undefined): CatalogTool {
  const described = description === undefined ? {} : { description: JSON.stringify(description) }
  const text = editObject(tool.text, { name: JSON.stringify(exposedName), ...described })
  return withDefinition({ ...tool, name: tool.kind === 'http' ? tool.name : exposedName, exposedName, text })
}

/** Which lists differ between two views, or undefined when none does. */
export function changeBetween(before: CatalogView | undefined, after: CatalogView): CatalogChange | undefined {
  const change = {
    ...(after.namespace === undefined ? {} : { namespace: after.namespace }),
    tools: !sameTexts(before?.tools, after.tools) || !sameExposure(before, after),
    prompts: !sameTexts(before?.prompts, after.prompts),
    resources: !sameTexts(before?.resources, after.resources) || !sameTexts(before?.templates, after.templates),
  }
  return change.tools || change.prompts || change.resources ? change : undefined
}

/** What is pinned counts only where not everything is shown. */
function sameExposure(before: CatalogView | undefined, after: CatalogView): boolean {
  return before?.expose === after.expose && (after.expose === 'all' || sameTexts(before.pinned, after.pinned))
}

function sameTexts(before: readonly { text: string }[] | undefined, after: readonly { text: string }[]): boolean {
  return before?.length === after.length && after.every((item, index) => item.text === before[index]?.text)
}
