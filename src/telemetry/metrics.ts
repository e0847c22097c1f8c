import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** All metrics of this process, as Prometheus reads them. */
interface Metrics {
  readonly contentType: string
  text(): Promise<string>
}

type Labels = Readonly<Record<string, string>>

/** One number of a family, and what tells it from the others. */
export interface Sample {
  readonly labels?: Labels
  readonly value: number
}

/** What a histogram has counted: each bucket alone, the last for all above the last bound. */
export interface Distribution {
  readonly labels?: Labels
  readonly bounds: readonly number[]
  readonly counts: ArrayLike<number>
  readonly sum: number
}

interface Named {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
}

/** One metric. Who keeps the numbers is asked anew at each scrape; labels never hold what callers make up. */
export type Family =
  | (Named & { readonly type: 'counter' | 'gauge'; read(): Iterable<Sample> | Promise<Iterable<Sample>> })
  | (Named & { readonly type: 'histogram'; read(): Iterable<Distribution> })

/** Answers scrapes with these families, and with what Node says of the process. */
export function createMetrics(families: readonly Family[]): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const family of families) show(registry, family)
  return { contentType: registry.contentType, text: () => registry.metrics() }
}

function show(registry: Registry, family: Family): void {
  if (family.type === 'histogram') registry.registerMetric(new KeptHistogram(family))
  else if (family.type === 'gauge') showGauge(registry, family)
  else showCounter(registry, family)
}

type Numbers = Exclude<Family, { type: 'histogram' }>

function showGauge(registry: Registry, { name, help, labels = [], read }: Numbers): void {
  const gauge = new Gauge({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    async collect() {
      gauge.reset()
      for (const sample of await read()) gauge.set(sample.labels ?? {}, sample.value)
    },
  })
}

function showCounter(registry: Registry, { name, help, labels = [], read }: Numbers): void {
  const counter = new Counter({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    async collect() {
      counter.reset()
      for (const sample of await read()) counter.inc(sample.labels ?? {}, sample.value)
    },
  })
}

/** A histogram whose counts somebody else keeps; the package's own would have to be told of each duration. */
class KeptHistogram extends Histogram {
  readonly #family: Extract<Family, { type: 'histogram' }>

  constructor(family: Extract<Family, { type: 'histogram' }>) {
    super({ name: family.name, help: family.help, labelNames: [...(family.labels ?? [])], registers: [] })
    this.#family = family
  }

  /** What the registry asks for, beside the types. */
  async getForPromString(): Promise<object> {
    const { name, help, read } = this.#family
    const values = [...read()].flatMap((each) => linesOf(name, each))
    return { name, help, type: 'histogram', values, aggregator: 'sum' }
  }
}

function linesOf(name: string, { labels = {}, bounds, counts, sum }: Distribution) {
  let count = 0
  const buckets = Array.from(counts, (each, at) => {
    count += each
    return { metricName: `${name}_bucket`, labels: { ...labels, le: String(bounds[at] ?? '+Inf') }, value: count }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
