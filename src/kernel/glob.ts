/** Whether a name matches a pattern in which `*` stands for any run of characters; linear in the name. */
export function matchesGlob(pattern: string, name: string): boolean {
  const [head = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return name === pattern
  if (!name.startsWith(head)) return false
  const tail = rest.pop() ?? ''
  let position = head.length
  for (const part of rest) {
    const found = name.indexOf(part, position)
    if (found < 0) return false
    position = found + part.length
  }
  return name.length - tail.length >= position && name.endsWith(tail)
}

/** True when one of the patterns matches. */
export function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => matchesGlob(pattern, name))
}
