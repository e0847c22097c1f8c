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
  // Getters of its own would cost each of thousands of tools a microsecond and more.
  return { __proto__: HINTS, server, namespace, category, tags, securityLevel, tool } as ToolFacts
}

type ToolFacts = Facts & { readonly tool: DescribedTool }

const HINTS: Pick<Facts, 'readOnly' | 'destructive'> & ThisType<ToolFacts> = {
  get readOnly() {
    return hintOf(this.tool, 'readOnlyHint') === true
  },
  get destructive() {
    return hintOf(this.tool, 'readOnlyHint') !== true && hintOf(this.tool, 'destructiveHint') !== false
  },
}

function hintOf({ definition }: DescribedTool, name: string): unknown {
  return objectAt(definition, 'annotations')?.[name]
}
