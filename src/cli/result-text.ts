import { isJsonObject, stringAt, type JsonValue } from '#kernel/json'
import { plainJson, plainText } from './plain-text.ts'

/** An MCP tool result for people: its texts, and a line for whatever is no text. `raw` is the JSON it came as. */
export function resultText(result: JsonValue | undefined, raw: string): string {
  const content = isJsonObject(result) ? result['content'] : undefined
  if (!Array.isArray(content) || content.length === 0) return `${plainJson(raw)}\n`
  return content.map((block: JsonValue) => `${blockText(block)}\n`).join('')
}

function blockText(block: JsonValue): string {
  const text = stringAt(block, 'text')
  if (stringAt(block, 'type') === 'text' && text !== undefined) return plainText(text).replace(/\n$/, '')
  const resource = isJsonObject(block) ? block['resource'] : undefined
  const embedded = stringAt(resource, 'text')
  if (embedded !== undefined) return plainText(embedded).replace(/\n$/, '')
  const facts = [
    stringAt(block, 'type'),
    stringAt(block, 'mimeType') ?? stringAt(resource, 'mimeType'),
    stringAt(block, 'uri') ?? stringAt(resource, 'uri'),
    sizeText(stringAt(block, 'data') ?? stringAt(resource, 'blob')),
  ]
  return plainText(`[${facts.filter((fact) => fact !== undefined).join(', ')}]`)
}

function sizeText(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : `${Buffer.byteLength(base64, 'base64')} bytes`
}
