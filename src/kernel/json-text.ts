/**
 * Raw JSON as text. What is not ours travels as the text it came in: numbers keep their digits, members their order,
 * unknown fields their place. Every function here takes text that `JSON.parse` has already accepted.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** Where one member's value stands: `text.slice(start, end)`; `keyStart` is the quote before its key. */
export interface Member {
  readonly key: string
  readonly keyStart: number
  readonly start: number
  readonly end: number
}

/** The members of the object that begins at or after `at`, in order, its values unparsed. */
export function membersOf(text: string, at = 0): Member[] {
  const members: Member[] = []
  let position = skipBlanks(text, at) + 1
  for (;;) {
    position = skipBlanks(text, position)
    const code = text.charCodeAt(position)
    if (code === CLOSE_BRACE) return members
    if (code === COMMA) {
      position += 1
      continue
    }
    const keyEnd = endOfString(text, position)
    const start = skipBlanks(text, skipBlanks(text, keyEnd) + 1)
    const end = endOfValue(text, start)
    members.push({ key: keyText(text, position, keyEnd), keyStart: position, start, end })
    position = end
  }
}

/** The raw text of the elements of the array that begins at or after `at`. */
export function elementsOf(text: string, at = 0): string[] {
  const elements: string[] = []
  let position = skipBlanks(text, at) + 1
  for (;;) {
    position = skipBlanks(text, position)
    const code = text.charCodeAt(position)
    if (code === CLOSE_BRACKET) return elements
    if (code === COMMA) {
      position += 1
      continue
    }
    const end = endOfValue(text, position)
    elements.push(text.slice(position, end))
    position = end
  }
}

/** The raw text of one member's value, or undefined; of equal keys the last, as `JSON.parse` reads them. */
export function memberText(text: string, key: string): string | undefined {
  const member = membersOf(text).findLast((each) => each.key === key)
  return member && text.slice(member.start, member.end)
}

/** New raw values by key; undefined removes the member, a key that is not there is added at the end. */
export type Edits = Readonly<Record<string, string | undefined>>

/** The object's text with some members replaced; everything else stays to the letter. */
export function editObject(text: string, edits: Edits): string {
  const members = membersOf(text)
  const kept: string[] = []
  const pending = new Set(Object.keys(edits))
  for (const member of members) {
    if (!Object.hasOwn(edits, member.key)) {
      kept.push(text.slice(member.keyStart, member.end))
      continue
    }
    const value = edits[member.key]
    if (value !== undefined && pending.has(member.key)) kept.push(text.slice(member.keyStart, member.start) + value)
    pending.delete(member.key)
  }
  for (const key of pending) {
    const value = edits[key]
    if (value !== undefined) kept.push(`${JSON.stringify(key)}:${value}`)
  }
  return `{${kept.join(',')}}`
}

/** Why a text that parses is still refused. */
export type JsonFault = { readonly kind: 'depth' } | { readonly kind: 'duplicate'; readonly key: string }

/**
 * Looks for what parsers disagree about or choke on: an object with the same key twice, nesting deeper than `depthMax`.
 * Two readers of such a text can see different calls, so it is refused rather than repaired.
 */
export function findFault(text: string, depthMax: number): JsonFault | undefined {
  const keys: (Set<string> | undefined)[] = []
  for (let position = 0; position < text.length; position += 1) {
    const code = text.charCodeAt(position)
    if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (keys.length >= depthMax) return { kind: 'depth' }
      keys.push(code === OPEN_BRACE ? new Set() : undefined)
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) keys.pop()
    else if (code === QUOTE) {
      const end = endOfString(text, position)
      const seen = text.charCodeAt(skipBlanks(text, end)) === COLON ? keys.at(-1) : undefined
      const key = seen && keyText(text, position, end)
      if (key !== undefined && seen?.has(key)) return { kind: 'duplicate', key }
      if (key !== undefined) seen?.add(key)
      position = end - 1
    }
  }
  return undefined
}

function keyText(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end - 1)
  return raw.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : raw
}

function skipBlanks(text: string, at: number): number {
  let position = at
  while (text.charCodeAt(position) <= 0x20) position += 1
  return position
}

/** The position after the closing quote of the string that opens at `at`. */
function endOfString(text: string, at: number): number {
  let close = text.indexOf('"', at + 1)
  while (text.charCodeAt(close - 1) === BACKSLASH && isEscaped(text, close)) close = text.indexOf('"', close + 1)
  return close + 1
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1
  return backslashes % 2 === 1
}

/** The position after the value that begins at `at`. */
function endOfValue(text: string, at: number): number {
  const first = text.charCodeAt(at)
  if (first === QUOTE) return endOfString(text, at)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return endOfContainer(text, at)
  let position = at
  while (position < text.length && !isDelimiter(text.charCodeAt(position))) position += 1
  return position
}

function isDelimiter(code: number): boolean {
  return code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || code <= 0x20
}

function endOfContainer(text: string, at: number): number {
  let depth = 0
  let position = at
  for (;;) {
    const code = text.charCodeAt(position)
    if (code === QUOTE) {
      position = endOfString(text, position)
      continue
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth += 1
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth -= 1
    position += 1
    if (depth === 0) return position
  }
}
