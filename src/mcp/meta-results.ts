import { stringAt } from '#kernel/json'
import type { CatalogTool } from '#registry/catalog-view'
import type { FoundTool } from '#search/tool-search'
import { tokensOf } from './definition-tokens.ts'
import { CALL_TOOL, DESCRIBE_TOOLS } from './meta-definitions.ts'
import { firstSentence } from './short-text.ts'
import type { TokenCounts } from './token-ledger.ts'

const SENTENCE_CHARS_MAX = 200
const QUERY_CHARS_SHOWN = 200

/** A meta-tool's own answer: what the model reads, and the same for programs, its definitions to the letter. */
export interface MetaResult {
  readonly text: string
  readonly structuredText?: string
  readonly isError?: boolean
}

/** What was found, in words: one line a tool, or its whole definition. */
export function foundResult(found: readonly FoundTool[], isFull: boolean): MetaResult {
  const lines = found.map(({ tool }, rank) => {
    const head = `${rank + 1}. ${tool.exposedName} (${tool.server})`
    if (isFull) return `${head}\n${tool.text}`
    const about = sentenceOf(tool)
    return about === '' ? head : `${head}: ${about}`
  })
  const next = isFull ? `Call one with ${CALL_TOOL}.` : `Read the arguments with ${DESCRIBE_TOOLS}, then ${CALL_TOOL}.`
  const structured = found.map(({ tool, score }) => {
    const own = isFull ? `"definition":${tool.text}` : `"description":${JSON.stringify(sentenceOf(tool))}`
    return `{"name":${JSON.stringify(tool.exposedName)},"server":${JSON.stringify(tool.server)},"score":${score},${own}}`
  })
  return {
    text: `Best first:\n${lines.join('\n')}\n${next}`,
    structuredText: `{"tools":[${structured.join(',')}]}`,
  }
}

export function nothingFoundResult(query: string, nearest: readonly string[]): MetaResult {
  const where =
    nearest.length === 0
      ? 'There are no tools here at the moment.'
      : `The servers that come nearest: ${nearest.join(', ')}. Say the task in other words, or ask for what these have.`
  return {
    text: `No tool fits ${JSON.stringify(firstSentence(query, QUERY_CHARS_SHOWN))}. ${where}`,
    structuredText: `{"tools":[],"nearest":${JSON.stringify(nearest)}}`,
  }
}

export function describedResult(tools: readonly CatalogTool[], unknown: readonly string[]): MetaResult {
  const text = `{"tools":[${tools.map((tool) => tool.text).join(',')}],"unknown":${JSON.stringify(unknown)}}`
  return { text, structuredText: text }
}

export function unknownResult(unknown: readonly string[], nearest: readonly string[]): MetaResult {
  const names = unknown.map((name) => JSON.stringify(name)).join(', ')
  const hint = nearest.length === 0 ? '' : ` The nearest names: ${nearest.join(', ')}.`
  return { text: `No tool is called ${names}.${hint}`, isError: true }
}

export function problemResult(name: string, problems: readonly string[]): MetaResult {
  return { text: `Invalid arguments for ${name}: ${problems.join('; ')}`, isError: true }
}

/** What an answer of ours costs the client's context. */
export function receivedBy({ text }: MetaResult): TokenCounts {
  return { wouldHaveReceived: 0, received: tokensOf([text]) }
}

/** The raw text of the `result` member. */
export function metaResultText({ text, structuredText, isError }: MetaResult): string {
  const structured = structuredText === undefined ? '' : `,"structuredContent":${structuredText}`
  const failed = isError ? ',"isError":true' : ''
  return `{"content":[{"type":"text","text":${JSON.stringify(text)}}]${structured}${failed}}`
}

function sentenceOf({ definition }: CatalogTool): string {
  return firstSentence(stringAt(definition, 'description') ?? stringAt(definition, 'title') ?? '', SENTENCE_CHARS_MAX)
}
