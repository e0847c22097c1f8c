import type { JsonObject } from '#kernel/json'
import type { CatalogView } from '#registry/catalog-view'
import { catalogSummary, serversOf } from './catalog-summary.ts'

export const SEARCH_TOOLS = 'search_tools'
export const DESCRIBE_TOOLS = 'describe_tools'
export const CALL_TOOL = 'call_tool'

/** The names of the meta-tools. They mean nothing special where everything is shown. */
export const META_TOOL_NAMES: ReadonlySet<unknown> = new Set([SEARCH_TOOLS, DESCRIBE_TOOLS, CALL_TOOL])

export const LIMIT_DEFAULT = 10
const LIMIT_MAX = 50
const NAMES_MAX = 50
const QUERY_CHARS_MAX = 10_000
/** The generated description stays below this: a model pays for it with every request. */
const DESCRIPTION_CHARS_MAX = 1000

const DIALECT = 'https://json-schema.org/draft/2020-12/schema'
const names = { type: 'array', items: { type: 'string' } }
const definition = { type: 'object', description: 'The definition as its server wrote it, with its inputSchema' }
const READS_ONLY = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false }

/** What the arguments of each meta-tool must be. */
export const INPUT_SCHEMAS = {
  [SEARCH_TOOLS]: {
    $schema: DIALECT,
    type: 'object',
    properties: {
      query: {
        type: 'string',
        minLength: 1,
        maxLength: QUERY_CHARS_MAX,
        description: 'The task in plain words, or the name of a tool',
      },
      limit: {
        type: 'integer',
        minimum: 1,
        maximum: LIMIT_MAX,
        default: LIMIT_DEFAULT,
        description: 'How many tools at most',
      },
      detail: {
        type: 'string',
        enum: ['brief', 'full'],
        default: 'brief',
        description: '"brief": name, server and first sentence of each; "full": its whole definition',
      },
    },
    required: ['query'],
    additionalProperties: false,
  },
  [DESCRIBE_TOOLS]: {
    $schema: DIALECT,
    type: 'object',
    properties: {
      names: { ...names, minItems: 1, maxItems: NAMES_MAX, description: `Names as ${SEARCH_TOOLS} gives them` },
    },
    required: ['names'],
    additionalProperties: false,
  },
  [CALL_TOOL]: {
    $schema: DIALECT,
    type: 'object',
    properties: {
      name: { type: 'string', description: `The tool's name as ${SEARCH_TOOLS} gives it` },
      arguments: { type: 'object', description: `The tool's arguments, as ${DESCRIBE_TOOLS} tells them` },
    },
    required: ['name'],
    additionalProperties: false,
  },
} as const satisfies Record<string, JsonObject>

const FOUND_SCHEMA = {
  $schema: DIALECT,
  type: 'object',
  properties: {
    tools: {
      type: 'array',
      description: 'The best first',
      items: {
        type: 'object',
        properties: {
          name: { type: 'string' },
          server: { type: 'string' },
          score: { type: 'number', description: 'Of 0 to 1' },
          description: { type: 'string', description: 'First sentence' },
          definition,
        },
        required: ['name', 'server', 'score'],
      },
    },
    nearest: { ...names, description: 'Where nothing fits: the servers that come nearest' },
  },
  required: ['tools'],
}

const DESCRIBED_SCHEMA = {
  $schema: DIALECT,
  type: 'object',
  properties: {
    tools: { type: 'array', items: definition },
    unknown: { ...names, description: 'Names that no tool has' },
  },
  required: ['tools', 'unknown'],
}

const describeTools = {
  name: DESCRIBE_TOOLS,
  title: 'Describe tools',
  description: `Gives the full definitions of tools that ${SEARCH_TOOLS} found: what they do and which arguments they take. Read it before ${CALL_TOOL}.`,
  inputSchema: INPUT_SCHEMAS[DESCRIBE_TOOLS],
  outputSchema: DESCRIBED_SCHEMA,
  annotations: { title: 'Describe tools', ...READS_ONLY },
}

const callTool = {
  name: CALL_TOOL,
  title: 'Call a tool',
  description: `Calls a tool that ${SEARCH_TOOLS} found, and gives its result as it is. The tool's own arguments go into "arguments".`,
  inputSchema: INPUT_SCHEMAS[CALL_TOOL],
  annotations: { title: 'Call a tool', readOnlyHint: false, openWorldHint: true },
}

/** The texts of the three meta-tools of a view, by name. */
export function metaDefinitions(view: CatalogView): readonly { readonly key: string; readonly text: string }[] {
  const searchTools = {
    name: SEARCH_TOOLS,
    title: 'Search tools',
    description: searchDescription(view),
    inputSchema: INPUT_SCHEMAS[SEARCH_TOOLS],
    outputSchema: FOUND_SCHEMA,
    annotations: { title: 'Search tools', ...READS_ONLY },
  }
  return [searchTools, describeTools, callTool].map((each) => ({ key: each.name, text: JSON.stringify(each) }))
}

/** Made from the live catalog, so that a model knows when to look here. */
function searchDescription(view: CatalogView): string {
  const { length } = view.tools
  if (length === 0) return 'Finds tools for a task. At the moment there are none; that can change.'
  const servers = serversOf(view).length
  const head =
    `Finds tools for a task among ${length} ${length === 1 ? 'tool' : 'tools'} of ${servers} ${servers === 1 ? 'server' : 'servers'}, most of which your list does not show. ` +
    `Use it whenever your other tools do not do what is asked: say the task in plain words; the best fit comes first. ` +
    `Then ${DESCRIBE_TOOLS} tells the arguments and ${CALL_TOOL} calls. Servers (tools): `
  return `${head}${catalogSummary(view, DESCRIPTION_CHARS_MAX - head.length - 1)}.`
}
