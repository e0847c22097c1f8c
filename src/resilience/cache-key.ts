/** What is to be removed: what carries the tag and begins with the prefix; without either everything. */
export interface CacheSelector {
  /** `server:files`, `tool:files__read` or `namespace:dev`; a name alone means any of the three. */
  readonly tag?: string | undefined
  /** Of the tool's exposed name. */
  readonly prefix?: string | undefined
}

/** What a key says in the open, so that keys can be selected without their values. */
interface KeyParts {
  readonly tool: string
  readonly server: string
  readonly namespace: string | undefined
  /** Of all that the value depends on. */
  readonly digest: string
}

/** `tool/server/namespace/digest`, each percent-encoded. */
export function cacheKey({ tool, server, namespace = '', digest }: KeyParts): string {
  return [...[tool, server, namespace].map(encodePart), digest].join('/')
}

const KINDS = ['tool', 'server', 'namespace'] as const

/** Whether a key is one of those that are to be removed. */
export function keySelector({ tag, prefix }: CacheSelector): (key: string) => boolean {
  const isTagged = tag === undefined ? undefined : tagMatcher(tag)
  const start = prefix === undefined ? '' : encodePart(prefix)
  return (key) => key.startsWith(start) && (isTagged?.(key.split('/')) ?? true)
}

function tagMatcher(tag: string): (parts: readonly string[]) => boolean {
  const kind = KINDS.findIndex((each) => tag.startsWith(`${each}:`))
  const name = encodePart(kind < 0 ? tag : tag.slice(tag.indexOf(':') + 1))
  if (name === '') return () => false
  return kind < 0 ? (parts) => parts.slice(0, KINDS.length).includes(name) : (parts) => parts[kind] === name
}

function encodePart(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}
