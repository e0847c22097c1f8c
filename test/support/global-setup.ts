import { once } from 'node:events'
import { createServer } from 'node:net'
import { type Cluster, startCluster } from './postgres-cluster.ts'
import { hasPostgres } from './postgres.ts'
import { hasPrometheus } from './prometheus.ts'
import { hasRedis } from './redis.ts'

/** Once a run of vitest: offers the workers one PostgreSQL, started when the first test asks, stopped at the end. */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (!hasRedis()) {
    const missing = 'Redis tests are skipped: install it (apt-get install redis-server) or set META_MCP_TEST_REDIS_URL'
    miss('REDIS', missing)
  }
  if (!hasPrometheus()) {
    miss('PROMETHEUS', 'Prometheus tests are skipped: install it (apt-get install prometheus prometheus-alertmanager)')
  }
  if (!hasPostgres()) {
    const missing =
      'PostgreSQL tests are skipped: install it (apt-get install postgresql) or set META_MCP_TEST_DATABASE_URL'
    miss('POSTGRES', missing)
    return undefined
  }
  return offerCluster()
}

/** CI demands what a developer's machine may do without. */
function miss(what: string, sentence: string): void {
  if (process.env[`META_MCP_TEST_DEMAND_${what}`] === '1') throw new Error(sentence)
  console.log(sentence)
}

async function offerCluster(): Promise<() => Promise<void>> {
  let cluster: Promise<Cluster> | undefined
  const server = createServer((socket) => {
    cluster ??= startCluster()
    cluster.then(
      ({ url }) => socket.end(JSON.stringify({ url })),
      (error: unknown) => socket.end(JSON.stringify({ error: String(error) })),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address === 'object' && address) process.env['META_MCP_TEST_POSTGRES_PORT'] = String(address.port)
  return async () => {
    server.close()
    const started = await cluster?.catch(() => undefined)
    await started?.close()
  }
}
