import type { Family } from './metrics.ts'

interface DefinitionTokens {
  /** Undefined for the endpoint of everything. */
  readonly namespace: string | undefined
  readonly wouldHaveReceived: number
  readonly received: number
}

export function definitionTokenMetrics(read: () => { readonly namespaces: readonly DefinitionTokens[] }): Family[] {
  return [
    {
      name: 'metamcp_definition_tokens_total',
      help: 'Tokens of tool definitions that clients would have received had all been listed, and that they received.',
      type: 'counter',
      labels: ['namespace', 'kind'],
      read: () =>
        read().namespaces.flatMap(({ namespace = '', wouldHaveReceived, received }) => [
          { labels: { namespace, kind: 'would_have_received' }, value: wouldHaveReceived },
          { labels: { namespace, kind: 'received' }, value: received },
        ]),
    },
  ]
}
