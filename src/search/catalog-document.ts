import { isJsonObject, objectAt, stringAt, type JsonObject } from '#kernel/json'
import type { CatalogTool, CatalogView } from '#registry/catalog-view'
import type { SearchDocument } from './document.ts'

/** What the servers of a view say about themselves, by upstream. */
type ServerTexts = ReadonlyMap<string, string>

export function serverTextsOf({ upstreams }: CatalogView): ServerTexts {
  return new Map(
    upstreams.map(({ upstreamId, snapshot: { serverInfoText, instructions = '' } }) => {
      const info = serverInfoText === undefined ? {} : (JSON.parse(serverInfoText) as JsonObject)
      return [upstreamId, [stringAt(info, 'title'), stringAt(info, 'description'), instructions].join(' ').trim()]
    }),
  )
}

export function documentOf(tool: CatalogTool, servers: ServerTexts): SearchDocument {
  const { definition } = tool
  const properties = Object.entries(objectAt(objectAt(definition, 'inputSchema'), 'properties') ?? {})
  return {
    server: tool.kind === 'http' ? '' : tool.server,
    serverText: servers.get(tool.upstreamId) ?? '',
    name: tool.originalName,
    description: [stringAt(definition, 'title'), stringAt(definition, 'description')].filter(Boolean).join('. '),
    parameterNames: properties.map(([name]) => name),
    parameterTexts: properties.map(([, schema]) =>
      isJsonObject(schema) ? (stringAt(schema, 'description') ?? '') : '',
    ),
  }
}
