/** One line of `/metrics`. */
export interface Scraped {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** What a gateway shows to Prometheus. */
export interface Scrape {
  readonly text: string
  readonly samples: readonly Scraped[]
  /** The sum of all samples of this name that carry these labels; undefined when there is none. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number | undefined
}

export async function scrape(url: string): Promise<Scrape> {
  const response = await fetch(new URL('/metrics', url))
  const text = await response.text()
  if (!response.ok) throw new Error(`/metrics answered ${response.status}: ${text}`)
  const samples = text.split('\n').flatMap((line) => (line === '' || line.startsWith('#') ? [] : [sampleOf(line)]))
  return {
    text,
    samples,
    sum(name, labels = {}) {
      const carries = (each: Scraped) => Object.entries(labels).every(([key, value]) => each.labels[key] === value)
      const found = samples.filter((each) => each.name === name && carries(each))
      return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0)
    },
  }
}

function sampleOf(line: string): Scraped {
  const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text = '']) => [key, text])
  return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }
}
