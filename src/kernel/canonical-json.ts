/**
 * One text for all spellings of the same JSON that no receiver can tell apart: members in the order of their keys, no blanks,
 * one spelling of strings. Numbers keep theirs: `1.0` is not `1` for every receiver, and beyond 2^53 digits are all that
 * tells two of them apart. Takes text that `JSON.parse` has already accepted.
 */
export function canonicalJson(text: string): string {
  return canonicalValue({ tokens: text.match(TOKENS) ?? [], at: 0 })
}

const TOKENS = /[{}[\],:]|"[^"\\]*(?:\\.[^"\\]*)*"|[^\s{}[\],:"]+/g

interface Cursor {
  readonly tokens: readonly string[]
  at: number
}

function canonicalValue(cursor: Cursor): string {
  const token = next(cursor)
  if (token === '{') return `{${items(cursor, '}', canonicalMember).toSorted(byText).join(',')}}`
  if (token === '[') return `[${items(cursor, ']', canonicalValue).join(',')}]`
  return token.startsWith('"') ? sameString(token) : token
}

function canonicalMember(cursor: Cursor): string {
  const key = sameString(next(cursor))
  next(cursor)
  return `${key}:${canonicalValue(cursor)}`
}

function items(cursor: Cursor, end: string, read: (cursor: Cursor) => string): string[] {
  const found: string[] = []
  while (cursor.tokens[cursor.at] !== end && cursor.at < cursor.tokens.length) {
    found.push(read(cursor))
    if (cursor.tokens[cursor.at] === ',') cursor.at += 1
  }
  cursor.at += 1
  return found
}

function next(cursor: Cursor): string {
  const token = cursor.tokens[cursor.at] ?? ''
  cursor.at += 1
  return token
}

function sameString(token: string): string {
  return token.includes('\\') ? JSON.stringify(JSON.parse(token)) : token
}

function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
