import { toolPage, toolQuery, type ToolQuery } from '#contract/tool'
import type { CatalogTool } from '#registry/catalog-view'
import { endpoint } from '../../endpoint.ts'
import { pageOf } from '../../page.ts'
import { descriptionOf, toolBody } from '../../tool-shape.ts'

export const listTools = endpoint({
  method: 'GET',
  path: '/api/v1/tools',
  access: 'tools:read',
  group: 'tools',
  summary: 'Tools, disabled ones included',
  query: toolQuery,
  status: 200,
  answer: toolPage,

  handle({ registry: { catalog }, views }, { query, principal }) {
    const { namespace } = query
    const shown = namespace === undefined ? catalog.allTools() : (catalog.view(namespace)?.tools ?? [])
    const mayAll = views.mayReadAll(principal, namespace)
    const { items, info } = pageOf(
      shown.filter((tool) => fits(tool, query) && (mayAll || views.mayRead(principal, tool, namespace))),
      query,
    )
    return { tools: items.map(toolBody), ...info }
  },
})

function fits(tool: CatalogTool, { server, category, tag, q }: ToolQuery): boolean {
  return (
    (server === undefined || tool.server === server) &&
    (category === undefined || tool.category === category) &&
    (tag === undefined || tool.tags.includes(tag)) &&
    (q === undefined || holdsWords(tool, q))
  )
}

function holdsWords(tool: CatalogTool, words: string): boolean {
  const text = `${tool.name} ${descriptionOf(tool)}`.toLowerCase()
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}
