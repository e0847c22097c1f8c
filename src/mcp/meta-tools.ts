import { createArgumentSchemas } from '#gateway/argument-schemas'
import { isJsonObject, objectAt, stringAt, type JsonObject } from '#kernel/json'
import { editObject, memberText } from '#kernel/json-text'
import type { RpcRequest } from '#kernel/rpc-message'
import type { Principal } from '#identity/principal'
import type { CatalogTool, CatalogView } from '#registry/catalog-view'
import type { ToolSearch } from '#search/tool-search'
import { serversOf } from './catalog-summary.ts'
import { exposureOf } from './exposure.ts'
import {
  CALL_TOOL,
  DESCRIBE_TOOLS,
  INPUT_SCHEMAS,
  LIMIT_DEFAULT,
  META_TOOL_NAMES,
  SEARCH_TOOLS,
} from './meta-definitions.ts'
import {
  describedResult,
  foundResult,
  nothingFoundResult,
  problemResult,
  unknownResult,
  type MetaResult,
} from './meta-results.ts'
import { nearestNames } from './nearest-names.ts'

const NEAREST_MAX = 5
/** Of an unknown name, where nearest ones are looked for. */
const NAME_CHARS_MAX = 200

export interface MetaToolsDeps {
  readonly search: Pick<ToolSearch, 'search'>
}

/** Who asks, and what his endpoint shows. */
interface Asked {
  readonly view: CatalogView
  readonly principal: Principal
}

/** What a request that names a meta-tool comes to: a call that goes on, or an answer of our own. */
type Meaning =
  { readonly kind: 'call'; readonly request: RpcRequest } | { readonly kind: 'answer'; readonly result: MetaResult }

/** `search_tools`, `describe_tools` and `call_tool`, for namespaces that do not list their tools. */
export interface MetaTools {
  /** Of a request that `isMetaNamed`. */
  meaningOf(request: RpcRequest, asked: Asked): Promise<Meaning>
}

/** Whether a request may be for a meta-tool: all that other calls pay for them. */
export function isMetaNamed({ params }: RpcRequest): boolean {
  return META_TOOL_NAMES.has(params['name'])
}

export function createMetaTools({ search }: MetaToolsDeps): MetaTools {
  const schemas = createArgumentSchemas(() => undefined)
  const problemsOf = (name: keyof typeof INPUT_SCHEMAS, args: unknown): readonly string[] =>
    isJsonObject(args) ? schemas.check(SCHEMA_TEXTS[name], args) : ['"arguments" must be an object']
  const searchTools = async (args: JsonObject, asked: Asked): Promise<MetaResult> => {
    const query = stringAt(args, 'query') ?? ''
    const limit = Number(args['limit'] ?? LIMIT_DEFAULT)
    const { found, nearest } = await inScope(search, asked, { text: query, limit })
    return found.length > 0 ? foundResult(found, args['detail'] === 'full') : nothingFoundResult(query, nearest)
  }
  const answer = async (name: 'search_tools' | 'describe_tools', args: unknown, asked: Asked) => {
    const problems = problemsOf(name, args)
    if (problems.length > 0 || !isJsonObject(args)) return problemResult(name, problems)
    return name === SEARCH_TOOLS ? searchTools(args, asked) : describeTools(args, asked.view)
  }
  return {
    async meaningOf(request, asked) {
      if (request.method !== 'tools/call' || exposureOf(asked.view).now === 'all') return { kind: 'call', request }
      const { name, arguments: args = {} } = request.params
      if (name === SEARCH_TOOLS || name === DESCRIBE_TOOLS)
        return { kind: 'answer', result: await answer(name, args, asked) }
      const problems = problemsOf(CALL_TOOL, args)
      return problems.length > 0
        ? { kind: 'answer', result: problemResult(CALL_TOOL, problems) }
        : { kind: 'call', request: directCall(request) }
    },
  }
}

/** What the called tool's own arguments must be is for its server to say, as in a direct call. */
const SCHEMA_TEXTS: Readonly<Record<keyof typeof INPUT_SCHEMAS, string>> = {
  [SEARCH_TOOLS]: JSON.stringify(INPUT_SCHEMAS[SEARCH_TOOLS]),
  [DESCRIBE_TOOLS]: JSON.stringify(INPUT_SCHEMAS[DESCRIBE_TOOLS]),
  [CALL_TOOL]: JSON.stringify({ ...INPUT_SCHEMAS[CALL_TOOL], properties: { name: { type: 'string' }, arguments: {} } }),
}

/** The same request as the client would send it for the tool itself: name and arguments to the letter, the rest kept. */
function directCall(request: RpcRequest): RpcRequest {
  const outer = objectAt(request.params, 'arguments') ?? {}
  const outerText = memberText(request.paramsText, 'arguments') ?? '{}'
  const paramsText = editObject(request.paramsText, {
    name: memberText(outerText, 'name'),
    arguments: memberText(outerText, 'arguments'),
  })
  const { arguments: _outer, ...kept } = request.params
  const { name, arguments: args } = outer
  return {
    ...request,
    paramsText,
    params: { ...kept, ...(name === undefined ? {} : { name }), ...(args === undefined ? {} : { arguments: args }) },
  }
}

function describeTools(args: JsonObject, view: CatalogView): MetaResult {
  const names = [...new Set(args['names'] as readonly string[])]
  const tools = names.flatMap((name) => view.toolByName.get(name) ?? [])
  const unknown = names.filter((name) => !view.toolByName.has(name))
  if (tools.length > 0) return describedResult(tools, unknown)
  const wanted = unknown.slice(0, NEAREST_MAX).map((name) => name.slice(0, NAME_CHARS_MAX))
  return unknownResult(unknown, nearestNames(wanted, [...view.toolByName.keys()], NEAREST_MAX))
}

/** Only what the view shows is found or hinted at: the search's catalog may be a revision ahead. */
async function inScope(
  search: MetaToolsDeps['search'],
  { view, principal }: Asked,
  { text, limit }: { readonly text: string; readonly limit: number },
) {
  const { namespace, toolByName } = view
  const isShown = ({ id, exposedName }: CatalogTool): boolean => toolByName.get(exposedName)?.id === id
  const query = { text, mode: 'hybrid', principal, surface: 'mcp', namespace, limit, threshold: 0 } as const
  const { found, nearest } = await search.search(query)
  const servers = serversOf(view)
  const near = nearest.filter((server) => servers.includes(server))
  return {
    found: found.filter(({ tool }) => isShown(tool)),
    nearest: (near.length > 0 ? near : servers).slice(0, NEAREST_MAX),
  }
}
