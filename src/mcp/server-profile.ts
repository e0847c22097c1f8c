import { GATEWAY_ID } from '#kernel/gateway-id'
import { isJsonObject, objectAt, type JsonObject } from '#kernel/json'
import { META } from '#kernel/protocol'
import type { CatalogView } from '#registry/catalog-view'
import { exposureOf } from './exposure.ts'
import { CALL_TOOL, DESCRIBE_TOOLS, SEARCH_TOOLS } from './meta-definitions.ts'

/** Extensions that we cannot route between eras and sessions are not offered. */
const UNROUTED_EXTENSIONS = new Set(['io.modelcontextprotocol/tasks'])

const EVERYTHING: JsonObject = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  completions: {},
  logging: {},
}

/**
 * What the gateway can do for clients of one namespace: what at least one of its servers can. While a server is still
 * unknown we promise all we can route, because a client asks for capabilities only once.
 */
export function capabilitiesOf(view: CatalogView, isComplete: boolean): JsonObject {
  const offered = view.upstreams.map(({ snapshot }) => snapshot.capabilities)
  const has = (name: string): boolean => offered.some((capabilities) => capabilities[name] !== undefined)
  const subscribes = view.upstreams.some(
    ({ snapshot: { capabilities, verdict } }) =>
      verdict.era === 'modern' || objectAt(capabilities, 'resources')?.['subscribe'] === true,
  )
  const known: JsonObject = {
    tools: { listChanged: true },
    ...(has('prompts') ? { prompts: { listChanged: true } } : {}),
    ...(has('resources') ? { resources: { ...(subscribes ? { subscribe: true } : {}), listChanged: true } } : {}),
    ...(has('completions') ? { completions: {} } : {}),
    ...(has('logging') ? { logging: {} } : {}),
  }
  const extensions = Object.assign({}, ...offered.map(extensionsOf)) as JsonObject
  return { ...(isComplete ? known : EVERYTHING), ...(Object.keys(extensions).length > 0 ? { extensions } : {}) }
}

/** Tasks of 2025-11-25, where a server has them: what at least one of those can. */
export function taskCapabilities(view: CatalogView): { readonly tasks?: JsonObject } {
  const offered = view.upstreams.flatMap(({ snapshot: { capabilities, verdict } }) => {
    const tasks = verdict.era === 'legacy' ? objectAt(capabilities, 'tasks') : undefined
    return tasks && objectAt(objectAt(tasks['requests'], 'tools'), 'call') ? [tasks] : []
  })
  if (offered.length === 0) return {}
  const some = (name: string): JsonObject => (offered.some((tasks) => tasks[name] !== undefined) ? { [name]: {} } : {})
  return { tasks: { ...some('list'), ...some('cancel'), requests: { tools: { call: {} } } } }
}

function extensionsOf(capabilities: JsonObject): JsonObject {
  const extensions = capabilities['extensions']
  if (!isJsonObject(extensions)) return {}
  return Object.fromEntries(Object.entries(extensions).filter(([id]) => !UNROUTED_EXTENSIONS.has(id)))
}

const HOW_TO_FIND_TOOLS = `The tools here are not all listed: find them with ${SEARCH_TOOLS}, read their arguments with ${DESCRIBE_TOOLS}, and call them with ${CALL_TOOL}.`

/** How to find tools where they are not listed, and the servers' own instructions. */
export function instructionsOf(view: CatalogView): string | undefined {
  const own = ownInstructions(view)
  if (exposureOf(view).now === 'all') return own
  return own === undefined ? HOW_TO_FIND_TOOLS : `${HOW_TO_FIND_TOOLS}\n\n${own}`
}

/** Of one server alone to the letter, of several under their names. */
function ownInstructions(view: CatalogView): string | undefined {
  const texts = view.upstreams.flatMap(({ server, snapshot: { instructions } }) =>
    instructions ? [{ server, instructions }] : [],
  )
  const [only] = texts
  if (view.upstreams.length === 1 || !only) return only?.instructions
  return texts.map(({ server, instructions }) => `# ${server}\n${instructions}`).join('\n\n')
}

/** Lets a gateway that connects to us see whether it would become its own server. */
export function gatewayStamp(behind: readonly string[]): JsonObject {
  return { [META.gateways]: [...new Set([GATEWAY_ID, ...behind])] }
}
