import type { Family } from './metrics.ts'

/** The catalog as it is now. */
interface Catalog {
  readonly revision: number
  readonly tools: number
  readonly resources: number
  readonly prompts: number
  readonly collisions: number
}

export function catalogMetrics(catalog: () => Catalog): Family[] {
  return [
    {
      name: 'metamcp_catalog_entries',
      help: 'What the catalog offers, by kind.',
      type: 'gauge',
      labels: ['kind'],
      read() {
        const { tools, resources, prompts } = catalog()
        return Object.entries({ tool: tools, resource: resources, prompt: prompts }).map(([kind, value]) => {
          return { labels: { kind }, value }
        })
      },
    },
    {
      name: 'metamcp_catalog_revision',
      help: 'Grows with each change of the catalog.',
      type: 'gauge',
      read: () => [{ value: catalog().revision }],
    },
    {
      name: 'metamcp_catalog_name_collisions',
      help: 'Names that had to give way to others.',
      type: 'gauge',
      read: () => [{ value: catalog().collisions }],
    },
  ]
}
