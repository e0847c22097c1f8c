/** Cuts raw JSON by tokens, apart from the gateway's own scanner: what is compared may not be read by what is tested. */

export interface RawMember {
  readonly key: string
  /** As it stands there, quotes included. */
  readonly keyText: string
  readonly value: string
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/gs

/** The members of an object, their values as they were written. */
export function rawMembers(text: string): RawMember[] {
  const members: RawMember[] = []
  let depth = 0
  let keyText = ''
  let start = -1
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (depth === 1 && (token === ',' || token === '}') && start >= 0) {
      members.push({ key: JSON.parse(keyText) as string, keyText, value: text.slice(start, index).trimEnd() })
      start = -1
    } else if (depth === 1 && token === ':') start = index + 1
    else if (depth === 1 && start < 0) keyText = token
    if (token === '{' || token === '[') depth += 1
    if (token === '}' || token === ']') depth -= 1
  }
  return members.map((member) => ({ ...member, value: member.value.trimStart() }))
}

export function rawMember(text: string, key: string): string | undefined {
  return rawMembers(text).find((member) => member.key === key)?.value
}

/** The object with some members taken out or given another value; an object that this leaves empty is taken out itself. */
export function withMembers(text: string, change: (member: RawMember) => string | undefined): string {
  const kept = rawMembers(text).flatMap((member) => {
    const value = change(member)
    return value === undefined ? [] : [`${member.keyText}:${value}`]
  })
  return `{${kept.join(',')}}`
}

export function without(text: string, keys: readonly string[]): string {
  return withMembers(text, ({ key, value }) => (keys.includes(key) ? undefined : value))
}
