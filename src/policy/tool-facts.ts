import { objectAt, type JsonObject } from '#kernel/json'
import type { Facts } from './condition.ts'

/** As much of a tool as decisions depend on. */
interface DescribedTool {
  readonly server: string
  readonly category?: string
  readonly tags: readonly string[]
  readonly securityLevel: number
  readonly definition: JsonObject
}

/**
 * What conditions may ask of a tool. Its annotations are its server's word, read only where a rule asks for them; what
 * says nothing counts as able to destroy (MCP, tool annotations).
 */
export function toolFacts(tool: DescribedTool, namespace?: string): Facts {
  const { server, category, tags, securityLevel } = tool
  const hint = (name: string): unknown => objectAt(tool.definition, 'annotations')?.[name]
  return {
    server,
    namespace,
    category,
    tags,
    securityLevel,
    get readOnly() {
      return hint('readOnlyHint') === true
    },
    get destructive() {
      return hint('readOnlyHint') !== true && hint('destructiveHint') !== false
    },
  }
}
