import { createHash } from 'node:crypto'
import type { CatalogView } from '#registry/catalog-view'

const LIST_KINDS = ['tools', 'prompts', 'resources'] as const
export type ListKind = (typeof LIST_KINDS)[number]

/** What the lists of one view say, by hashes: enough to see that they say something else, and no old catalog is kept for it. */
export type Shown = Readonly<Record<ListKind, string>> & {
  /** The upstreams of which there is anything in them. */
  readonly upstreams: ReadonlySet<string>
}

const known = new WeakMap<CatalogView, Shown>()

/** Made once, because a view never changes. */
export function shownOf(view: CatalogView): Shown {
  const made = known.get(view) ?? shown(view)
  known.set(view, made)
  return made
}

/** The lists in which two views differ. */
export function differences(before: Shown | undefined, after: Shown): readonly ListKind[] {
  return LIST_KINDS.filter((kind) => before?.[kind] !== after[kind])
}

function shown({ tools, prompts, resources, templates, expose, pinned }: CatalogView): Shown {
  // What is pinned counts only where not everything is shown.
  const exposed = expose === 'all' ? [] : [{ text: expose }, ...pinned]
  const owners = [tools, prompts, resources, templates].flatMap((part) => part.map(({ upstreamId }) => upstreamId))
  return {
    tools: hashOf([...tools, ...exposed]),
    prompts: hashOf(prompts),
    resources: hashOf([...resources, ...templates]),
    upstreams: new Set(owners),
  }
}

function hashOf(items: readonly { readonly text: string }[]): string {
  const hash = createHash('sha256')
  for (const { text } of items) hash.update(text).update('\n')
  return hash.digest('base64url')
}
