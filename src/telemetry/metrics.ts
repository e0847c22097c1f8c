import { Counter, Registry } from 'prom-client'

/** All metrics of this process, as Prometheus reads them. */
interface Metrics {
  readonly contentType: string
  text(): Promise<string>
}

/** Who keeps the numbers; asked anew at each scrape. */
interface MetricSources {
  definitionTokens(): { readonly namespaces: readonly DefinitionTokens[] }
}

interface DefinitionTokens {
  /** Undefined for the endpoint of everything. */
  readonly namespace: string | undefined
  readonly wouldHaveReceived: number
  readonly received: number
}

export function createMetrics({ definitionTokens }: MetricSources): Metrics {
  const registry = new Registry()
  showDefinitionTokens(registry, definitionTokens)
  return { contentType: registry.contentType, text: () => registry.metrics() }
}

function showDefinitionTokens(registry: Registry, read: MetricSources['definitionTokens']): void {
  const counter = new Counter({
    name: 'metamcp_definition_tokens_total',
    help: 'Tokens of tool definitions that clients would have received had all been listed, and that they received.',
    labelNames: ['namespace', 'kind'],
    registers: [registry],
    collect() {
      counter.reset()
      for (const { namespace = '', wouldHaveReceived, received } of read().namespaces) {
        counter.inc({ namespace, kind: 'would_have_received' }, wouldHaveReceived)
        counter.inc({ namespace, kind: 'received' }, received)
      }
    },
  })
}
