import { stripVTControlCharacters } from 'node:util'

/** A foreign text for a terminal: no escape sequences, control, invisible or direction-changing characters. */
export function plainText(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/(?![\n\t])[\p{Cc}\p{Cf}]/gu, '')
}

/** The same on one line, cut at a width. */
export function plainLine(text: string, width = Infinity): string {
  const line = plainText(text).replaceAll(/\s+/g, ' ').trim()
  return line.length > width ? `${line.slice(0, Math.max(0, width - 1))}…` : line
}

/** JSON that means the same and is safe to show: what a terminal could obey is written as `\uXXXX`. */
export function plainJson(json: string): string {
  return json.replaceAll(/(?![\n\t\r])[\p{Cc}\p{Cf}]/gu, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}
