import { isJsonObject, objectAt, stringAt, type JsonObject } from '#kernel/json'
import { digest } from '#kernel/seal'
import type { CatalogTool, CatalogView } from '#registry/catalog-view'
import type { Lesson, SearchDocument } from './document.ts'

/** What a server says about itself. */
export interface ServerText {
  readonly title: string
  readonly text: string
  /** Of the two. */
  readonly digest: string
}

/** What the servers of a view say about themselves, by upstream. */
export function serverTextsOf({ upstreams }: CatalogView): ReadonlyMap<string, ServerText> {
  return new Map(
    upstreams.map(({ upstreamId, snapshot: { serverInfoText, instructions = '' } }) => {
      const info = serverInfoText === undefined ? {} : (JSON.parse(serverInfoText) as JsonObject)
      const text = [stringAt(info, 'description') ?? '', instructions].join(' ').trim()
      const title = stringAt(info, 'title') ?? ''
      return [upstreamId, { title, text, digest: digest(`${title}\n${text}`) }]
    }),
  )
}

/** What the document is made of, but for what was learned: equal digests, equal documents. */
export function digestOf(tool: CatalogTool, server: ServerText | undefined): string {
  const { id, kind, server: name, originalName, category = '', tags, text } = tool
  return digest(JSON.stringify([id, kind, name, originalName, category, tags, server?.digest ?? '', text]))
}

/** Parses the definition for itself: what nobody calls needs not stay parsed. */
export function documentOf(
  tool: CatalogTool,
  server: ServerText | undefined,
  learned: readonly Lesson[],
): SearchDocument {
  const definition = JSON.parse(tool.text) as JsonObject
  const properties = Object.entries(objectAt(objectAt(definition, 'inputSchema'), 'properties') ?? {})
  return {
    server: tool.kind === 'http' ? (tool.category ?? '') : server?.title || tool.server,
    serverText: [server?.text, tool.category, ...tool.tags].filter(Boolean).join(' '),
    name: tool.originalName,
    description: [stringAt(definition, 'title'), stringAt(definition, 'description')].filter(Boolean).join('. '),
    parameterNames: properties.map(([name]) => name),
    parameterTexts: properties.map(([, schema]) =>
      isJsonObject(schema) ? (stringAt(schema, 'description') ?? '') : '',
    ),
    learned,
  }
}
