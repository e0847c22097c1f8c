import type { JsonValue } from './json.ts'

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

/** The members of the object that begins at or after `at`, in order, its values unparsed; what is no object has none. */
export function membersOf(text: string, at = 0): Member[] {
  const members: Member[] = []
  walkMembers(text, at, (keyStart, keyEnd, start, end) => {
    members.push({ key: keyText(text, keyStart, keyEnd), keyStart, start, end })
  })
  return members
}

type Visit = (keyStart: number, keyEnd: number, start: number, end: number) => void

function walkMembers(text: string, at: number, visit: Visit): void {
  let position = skipBlanks(text, at)
  if (text.charCodeAt(position) !== OPEN_BRACE) return
  position += 1
  for (;;) {
    position = skipBlanks(text, position)
    const code = text.charCodeAt(position)
    if (code === CLOSE_BRACE) return
    if (code === COMMA) {
      position += 1
      continue
    }
    const keyEnd = endOfString(text, position)
    const start = skipBlanks(text, skipBlanks(text, keyEnd) + 1)
    const end = endOfValue(text, start)
    visit(position, keyEnd, start, end)
    position = end
  }
}

/** The raw text of the elements of the array that begins at or after `at`; what is no array has none. */
export function elementsOf(text: string, at = 0): string[] {
  const elements: string[] = []
  let position = skipBlanks(text, at)
  if (text.charCodeAt(position) !== OPEN_BRACKET) return elements
  position += 1
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
  const { start, end } = findMember(text, key)
  return end < 0 ? undefined : text.slice(start, end)
}

/** Where the last member of this key has its value, and how many there are. Makes nothing on the way: calls look often. */
function findMember(text: string, key: string): { start: number; end: number; count: number } {
  const found = { start: -1, end: -1, count: 0 }
  walkMembers(text, 0, (keyStart, keyEnd, start, end) => {
    if (!isKey(text, keyStart, keyEnd, key)) return
    found.start = start
    found.end = end
    found.count += 1
  })
  return found
}

/** A key of the same length is the same only to the letter; one that is spelled with escapes is longer. */
function isKey(text: string, keyStart: number, keyEnd: number, key: string): boolean {
  const length = keyEnd - keyStart - 2
  if (length <= key.length) return length === key.length && text.startsWith(key, keyStart + 1)
  return keyText(text, keyStart, keyEnd) === key
}

/** New raw values by key; undefined removes the member, a key that is not there is added at the end. */
export type Edits = Readonly<Record<string, string | undefined>>

/** The object's text with some members replaced; everything else stays to the letter. */
export function editObject(text: string, edits: Edits): string {
  const [key, another] = Object.keys(edits)
  const value = key === undefined ? undefined : edits[key]
  if (key !== undefined && another === undefined && value !== undefined) {
    const { start, end, count } = findMember(text, key)
    if (count === 1) return text.slice(0, start) + value + text.slice(end)
  }
  return editMembers(text, edits)
}

function editMembers(text: string, edits: Edits): string {
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

/** The same JSON with its strings changed, keys not among them; everything else stays to the letter. */
export function editStrings(text: string, change: (value: string) => string): string {
  const parts: string[] = []
  let copied = 0
  let end = 0
  for (let start = text.indexOf('"'); start >= 0; start = text.indexOf('"', end)) {
    end = endOfString(text, start)
    if (text.charCodeAt(skipBlanks(text, end)) === COLON) continue
    const value = JSON.parse(text.slice(start, end)) as string
    const changed = change(value)
    if (changed === value) continue
    parts.push(text.slice(copied, start), JSON.stringify(changed))
    copied = end
  }
  return parts.join('') + text.slice(copied)
}

/** The same JSON without line ends: between tokens one is as good as a blank, and strings have none. */
export function oneLine(text: string): string {
  return text.includes('\n') || text.includes('\r') ? text.replaceAll(/[\r\n]+/g, ' ') : text
}

/** A key with an escape in it; now and then a text that only looks like one. */
const ESCAPED_KEY = /[{,][ \t\r\n]*"[^"\\]*\\/

/**
 * The value of a text that `JSON.parse` made `value` of, with the keys that the text has: V8 13 takes an escaped key for one
 * that it met in an earlier object of the same beginning (after `{"a":1,"\\":2}` it reads `{"a":1,"\u0062":2}` as that).
 * Check the nesting first, with `findFault`.
 */
export function parseSoundly(text: string, value: JsonValue): JsonValue {
  return text.includes('\\') && ESCAPED_KEY.test(text) ? readValue(text, { at: 0 }) : value
}

interface Cursor {
  at: number
}

function readValue(text: string, cursor: Cursor): JsonValue {
  cursor.at = skipBlanks(text, cursor.at)
  const code = text.charCodeAt(cursor.at)
  if (code === OPEN_BRACE) return Object.fromEntries(readItems(text, cursor, () => readMember(text, cursor)))
  if (code === OPEN_BRACKET) return readItems(text, cursor, () => readValue(text, cursor))
  const start = cursor.at
  cursor.at = endOfValue(text, start)
  return JSON.parse(text.slice(start, cursor.at)) as JsonValue
}

function readMember(text: string, cursor: Cursor): [key: string, value: JsonValue] {
  const end = endOfString(text, cursor.at)
  const key = keyText(text, cursor.at, end)
  cursor.at = skipBlanks(text, end) + 1
  return [key, readValue(text, cursor)]
}

function readItems<T>(text: string, cursor: Cursor, read: () => T): T[] {
  const items: T[] = []
  for (;;) {
    cursor.at = skipBlanks(text, cursor.at + 1)
    const code = text.charCodeAt(cursor.at)
    // Only an empty container ends here; behind an item its comma or end is what comes next.
    if (items.length === 0 && (code === CLOSE_BRACE || code === CLOSE_BRACKET)) break
    items.push(read())
    cursor.at = skipBlanks(text, cursor.at)
    if (text.charCodeAt(cursor.at) !== COMMA) break
  }
  cursor.at += 1
  return items
}

/** Why a text that parses is still refused. */
export type JsonFault = { readonly kind: 'depth' } | { readonly kind: 'duplicate'; readonly key: string }

/**
 * Looks for what parsers disagree about or choke on: an object with the same key twice, nesting deeper than `depthMax`.
 * Two readers of such a text can see different calls, so it is refused rather than repaired.
 */
export function findFault(text: string, depthMax: number): JsonFault | undefined {
  const open: (string[] | undefined)[] = []
  const sets = new Map<string[], Set<string>>()
  for (let position = 0; position < text.length; position += 1) {
    const code = text.charCodeAt(position)
    if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (open.length >= depthMax) return { kind: 'depth' }
      open.push(code === OPEN_BRACE ? [] : undefined)
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) open.pop()
    else if (code === QUOTE) {
      const end = endOfString(text, position)
      const seen = text.charCodeAt(skipBlanks(text, end)) === COLON ? open.at(-1) : undefined
      const key = seen && keyText(text, position, end)
      if (seen && key !== undefined && !isNew(key, seen, sets)) return { kind: 'duplicate', key }
      position = end - 1
    }
  }
  return undefined
}

/** Few keys are looked through; many get a set, so that an object of a million keys costs no square of that. */
const FEW_KEYS = 16

function isNew(key: string, seen: string[], sets: Map<string[], Set<string>>): boolean {
  if (seen.length < FEW_KEYS) {
    if (seen.includes(key)) return false
    seen.push(key)
    return true
  }
  const known = sets.get(seen) ?? new Set(seen)
  if (known.has(key)) return false
  sets.set(seen, known.add(key))
  return true
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
