// npm run soak [-- MINUTES]: a gateway under mixed load whose servers restart now and then; fails when it grows. See README.md.
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openInspector, type Inspector } from './inspector.ts'
import { show, table } from './report.ts'
import { keepAsking, type Tally } from './soak-load.ts'
import { sampleOf, slopeOf, surelyPerHour, type Figure, type Sample } from './soak-samples.ts'
import {
  firstCorrectCall,
  type GatewayTarget,
  HEAP_FLAGS,
  isGatewayBuilt,
  scratch,
  startGateway,
  startUpstream,
} from './targets.ts'

const MINUTES = Number(process.argv[2] ?? 30)
/** Of less no slope can be told. */
const MINUTES_MIN = 3
const ASKERS = 8
const SAMPLE_MS = 10_000
const RESTART_MS = 20_000
const IDLE_SECONDS = 20
/** After the end: sessions are over by then, and what they held is back. */
const QUIET_MS = 3 * IDLE_SECONDS * 1000
const TOOLS = 200
const WARM_SHARE = 1 / 3
/** What may surely be added in an hour. */
const MB_PER_HOUR_MAX = 20
const FILES_TOLERANCE = 8
const FIGURES: readonly Figure[] = ['rssMb', 'liveMb', 'files', 'children', 'sessions']

interface Watched {
  readonly url: URL
  readonly inspector: Inspector
}

/** Restarts one server after the other, the one over stdio by the gateway and the one over HTTP by itself. */
async function restartNowAndThen(gateway: GatewayTarget, port: string, signal: AbortSignal): Promise<number> {
  let restarts = 0
  let upstream = await startUpstream(TOOLS, '', port)
  try {
    while (!signal.aborted) {
      await delay(RESTART_MS, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) break
      if (restarts % 2 === 0)
        await fetch(new URL('/api/v1/proxy/servers/pipe/restart', gateway.url), { method: 'POST' })
      else {
        await upstream.process.stop()
        upstream = await startUpstream(TOOLS, '', port)
      }
      restarts += 1
    }
  } finally {
    await upstream.process.stop()
  }
  return restarts
}

async function takeSamples(gateway: Watched, samples: Sample[], signal: AbortSignal): Promise<void> {
  const startedAt = performance.now()
  while (!signal.aborted) {
    const sample = await sampleOf(gateway.url, gateway.inspector, (performance.now() - startedAt) / 3_600_000)
    samples.push(sample)
    console.log(`${(sample.hours * 60).toFixed(1)} min: ${lineOf(sample)}`)
    await delay(SAMPLE_MS, undefined, { signal }).catch(() => undefined)
  }
}

const lineOf = (sample: Sample): string => FIGURES.map((figure) => `${figure} ${show(sample[figure], 0)}`).join(', ')

/** Sentences about what should not be. */
function faults(tally: Tally, samples: readonly Sample[], after: Sample): string[] {
  const before = samples[0]!
  const warm = samples.filter(({ hours }) => hours * 60 >= MINUTES * WARM_SHARE)
  const slopes = FIGURES.map((figure) => [figure, slopeOf(warm, figure)] as const)
  console.log(
    table(
      ['figure', 'first', 'last', 'quiet', 'an hour', '±'],
      slopes.map(([figure, { perHour, error }]) => [
        figure,
        ...[before, samples.at(-1)!, after].map((sample) => show(sample[figure], 1)),
        show(perHour, 1),
        show(error, 1),
      ]),
    ),
  )
  const growing = slopes.filter(
    ([figure, slope]) => figure.endsWith('Mb') && !(surelyPerHour(slope) <= MB_PER_HOUR_MAX),
  )
  return [
    ...growing.map(([figure]) => `${figure} grows by more than ${MB_PER_HOUR_MAX} MB an hour`),
    ...(after.files > before.files + FILES_TOLERANCE ? [`${after.files} files open, ${before.files} before`] : []),
    ...(after.children === before.children ? [] : [`${after.children} children, ${before.children} before`]),
    ...(after.sessions === 0 ? [] : [`${after.sessions} sessions left`]),
    ...tally.wrong.slice(0, 10),
  ]
}

if (!(MINUTES >= MINUTES_MIN)) throw new Error(`give at least ${MINUTES_MIN} minutes`)
if (!isGatewayBuilt) throw new Error('the gateway is not built: npm run build')
using folder = scratch()
const place = await startUpstream(TOOLS)
const { port } = place.url
await place.process.stop()
const pipe = {
  command: process.execPath,
  args: [join(import.meta.dirname, 'stdio-upstream.ts'), 'pipe', String(TOOLS)],
}
const servers = { pipe: { ...pipe, start: 'eager' }, web: { url: place.url.href, start: 'eager' } }
const env = {
  META_MCP_ANONYMOUS_ROLE: 'admin',
  META_MCP_SESSION_IDLE_SECONDS: String(IDLE_SECONDS),
  META_MCP_SEARCH_EMBEDDER: 'static',
  META_MCP_CIRCUIT_BREAKER_RECOVERY_SECONDS: '1',
}
const gateway = await startGateway(folder.path, servers, { env, flags: HEAP_FLAGS, isInspected: true })
await using _gateway = gateway.process
const tally: Tally = { done: {}, refused: {}, wrong: [] }
const samples: Sample[] = []
const end = new AbortController()
const restarting = restartNowAndThen(gateway, port, end.signal)
await firstCorrectCall(gateway, 2 * TOOLS)
const asking = Array.from({ length: ASKERS }, () => keepAsking({ base: gateway.url, tally }, end.signal))
using inspector = await openInspector(await gateway.process.inspector())
const sampling = takeSamples({ url: gateway.url, inspector }, samples, end.signal)
await delay(MINUTES * 60_000)
end.abort()
const [restarts] = await Promise.all([restarting, sampling, ...asking])
console.log(`${MINUTES} minutes, ${restarts} restarts:`, tally.done, 'refused:', tally.refused)
await delay(QUIET_MS)
const found = faults(tally, samples, await sampleOf(gateway.url, inspector, samples.at(-1)!.hours))
for (const fault of found) console.log(`FAULT ${fault}`)
if (found.length > 0) process.exitCode = 1
