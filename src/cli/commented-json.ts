import { parse as parseYaml } from 'yaml'

const STRING_OR_COMMENT = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g
const STRING_OR_LAST_COMMA = /"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])/g
const onlyStrings = (part: string): string => (part.startsWith('"') ? part : '')

/** Reads JSON as editors write it, with comments and trailing commas, and YAML. Throws what the parser throws. */
export function parseConfiguration(text: string): unknown {
  const plain = text.replace(/^\uFEFF/, '')
  if (!/^\s*(\{|\/\/|\/\*)/.test(plain)) return parseYaml(plain)
  return JSON.parse(plain.replaceAll(STRING_OR_COMMENT, onlyStrings).replaceAll(STRING_OR_LAST_COMMA, onlyStrings))
}
