// Opens legacy sessions, as a process of its own, and leaves them: node bench/sessions.ts --url URL --sessions N --connections N
// Each is an initialize and an initialized on a connection that is kept; prints one JSON line.
import { parseArgs } from 'node:util'
import { Connection } from './connection.ts'
import { openSession } from './mcp-client.ts'

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    sessions: { type: 'string', default: '1000' },
    connections: { type: 'string', default: '16' },
  },
})
const url = new URL(values.url)
const wanted = Number(values.sessions)
let begun = 0

async function work(): Promise<void> {
  const connection = new Connection(Number(url.port))
  while (begun < wanted) {
    begun += 1
    await openSession(connection, url)
  }
  connection.close()
}

const startedAt = performance.now()
await Promise.all(Array.from({ length: Number(values.connections) }, work))
console.log(JSON.stringify({ perSecond: (wanted * 1000) / (performance.now() - startedAt) }))
