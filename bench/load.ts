// One window of load, as a process of its own: node bench/load.ts --mode call|list --url URL --connections N --warm S --seconds S [--calls N] [--least N] [--authorization HEADER]
// Closed loop; every answer is verified. Tells its parent when the measured part starts and ends; prints one JSON line.
import { parseArgs } from 'node:util'
import { Connection, type Reply } from './connection.ts'
import {
  answerTo,
  callText,
  echoProblem,
  findEcho,
  listText,
  listTools,
  openSession,
  post,
  type SessionHead,
} from './mcp-client.ts'

const { values } = parseArgs({
  options: {
    mode: { type: 'string', default: 'call' },
    url: { type: 'string', default: '' },
    connections: { type: 'string', default: '16' },
    warm: { type: 'string', default: '0.3' },
    seconds: { type: 'string', default: '1' },
    /** Ends the measured part before its time. */
    calls: { type: 'string', default: 'Infinity' },
    /** Goes on over its time until there are so many, but not for ever. */
    least: { type: 'string', default: '0' },
    authorization: { type: 'string', default: '' },
  },
})
const url = new URL(values.url)
const RETRY_MS = 5

/** What one worker sends, and what is wrong with the answer. */
interface Job {
  payload(id: number, head: SessionHead): string
  problem(id: number, reply: Reply): string | undefined
}

function callJob(tool: string): Job {
  return {
    payload: (id, head) => post(head, callText(id, tool, `message ${id}`)),
    problem: (id, { body }) => echoProblem(answerTo(body, id), `message ${id}`),
  }
}

/** The first list is read in full; the others must have its length and their own id. */
function listJob(tools: number): Job {
  let length = 0
  return {
    payload: (id, head) => post(head, listText(id)),
    problem(id, { body }) {
      if (body.length === length && body.includes(`"id":${id}`)) return undefined
      const count = answerTo(body, id)?.result?.tools?.length
      if (count !== tools) return `${count} tools instead of ${tools}`
      length = body.length
      return undefined
    },
  }
}

const first = new Connection(Number(url.port))
const firstHead = await openSession(first, url, values.authorization)
const names = await listTools(first, firstHead)
const job = values.mode === 'list' ? listJob(names.length) : callJob(findEcho(names) ?? 'echo')

const workers: { connection: Connection; head: SessionHead }[] = [{ connection: first, head: firstHead }]
while (workers.length < Number(values.connections)) {
  const connection = new Connection(Number(url.port))
  workers.push({ connection, head: await openSession(connection, url, values.authorization) })
}

const latencies: number[] = []
const errors: Record<string, number> = {}
const enough = Promise.withResolvers<void>()
const least = Promise.withResolvers<void>()
const callsMax = Number(values.calls)
const callsMin = Number(values.least)
/** Of the seconds. */
const OVERTIME = 5
let lastId = 100_000_000
let failed = 0
let measuring = false
let stopped = false

function fire(worker: (typeof workers)[number]): void {
  if (stopped) return
  const id = (lastId += 1)
  const sentAt = performance.now()
  worker.connection.send(job.payload(id, worker.head), (error, reply) => {
    const problem = error ?? (reply.status === 200 ? job.problem(id, reply) : `HTTP ${reply.status}`)
    if (measuring) record(performance.now() - sentAt, problem)
    if (problem === undefined) fire(worker)
    else setTimeout(() => fire(worker), RETRY_MS)
  })
}

function record(ms: number, problem: string | undefined): void {
  if (problem === undefined) {
    latencies.push(ms)
    if (latencies.length === callsMax) enough.resolve()
    if (latencies.length === callsMin) least.resolve()
    return
  }
  failed += 1
  errors[problem] = (errors[problem] ?? 0) + 1
}

const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000))

const expiry = setInterval(() => workers.forEach(({ connection }) => connection.expire(Date.now())), 250)
for (const worker of workers) fire(worker)
await pause(Number(values.warm))
measuring = true
const startedAt = performance.now()
process.send?.('start')
await Promise.race([pause(Number(values.seconds)), enough.promise])
if (latencies.length < callsMin) await Promise.race([pause(Number(values.seconds) * OVERTIME), least.promise])
measuring = false
process.send?.('end')
const seconds = (performance.now() - startedAt) / 1000
stopped = true
clearInterval(expiry)
workers.forEach(({ connection }) => connection.close())

latencies.sort((a, b) => a - b)
const quantile = (q: number): number => latencies[Math.min(latencies.length - 1, Math.floor(q * latencies.length))] ?? 0
console.log(
  JSON.stringify({
    done: latencies.length,
    failed,
    errors,
    seconds,
    perSecond: latencies.length / seconds,
    p50: quantile(0.5),
    p95: quantile(0.95),
    p99: quantile(0.99),
  }),
)
process.disconnect?.()
