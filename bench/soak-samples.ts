import type { Inspector } from './inspector.ts'

/** How a gateway is at one moment, as its `/metrics` and V8 say. */
export interface Sample {
  /** Since the load began. */
  readonly hours: number
  readonly rssMb: number
  /** Alive after a collection. */
  readonly liveMb: number
  readonly files: number
  readonly children: number
  readonly sessions: number
}

export type Figure = Exclude<keyof Sample, 'hours'>

const MB = 1024 * 1024

/** Collects garbage first: without that, what grows is what V8 has not looked at. */
export async function sampleOf(gateway: URL, inspector: Inspector, hours: number): Promise<Sample> {
  const live = await inspector.liveBytes()
  const text = await (await fetch(new URL('/metrics', gateway))).text()
  const sum = (name: string): number => {
    const values = [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))].map(([, value]) =>
      Number(value),
    )
    return values.length === 0 ? Number.NaN : values.reduce((total, value) => total + value, 0)
  }
  return {
    hours,
    rssMb: sum('process_resident_memory_bytes') / MB,
    liveMb: live / MB,
    files: sum('process_open_fds'),
    children: sum('metamcp_upstream_children'),
    sessions: sum('metamcp_sessions'),
  }
}

/** A straight line through the samples: what is added in an hour, and the standard error of that. */
export interface Slope {
  readonly perHour: number
  readonly error: number
}

export function slopeOf(samples: readonly Sample[], figure: Figure): Slope {
  const count = samples.length
  const mean = (of: (sample: Sample) => number): number => samples.reduce((sum, sample) => sum + of(sample), 0) / count
  const [meanHours, meanValue] = [mean(({ hours }) => hours), mean((sample) => sample[figure])]
  const spread = count * mean(({ hours }) => (hours - meanHours) ** 2)
  const perHour = (count * mean((one) => (one.hours - meanHours) * (one[figure] - meanValue))) / spread
  const rest = count * mean((one) => (one[figure] - meanValue - perHour * (one.hours - meanHours)) ** 2)
  return { perHour, error: Math.sqrt(rest / (count - 2) / spread) }
}

/** What is surely more: twice the error below the slope. */
export function surelyPerHour({ perHour, error }: Slope): number {
  return perHour - 2 * error
}
