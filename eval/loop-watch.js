// Preloaded into a gateway: notes how long its event loop was held. SIGUSR2 writes the longest time since the last one (ms).
import { writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

const RESOLUTION_MS = 1
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delays.enable()
process.on('SIGUSR2', () => {
  writeFileSync(
    process.env.LOOP_WATCH_FILE,
    JSON.stringify({ maxMs: delays.max / 1e6, p99Ms: delays.percentile(99) / 1e6 }),
  )
  delays.reset()
})
