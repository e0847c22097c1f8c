import { detailedHealth, type HealthComponent } from '#contract/health'
import type { UpstreamRecord } from '#registry/records'
import type { NeuralProgress } from '#search/vector-filler'
import { redactor } from '#registry/connection-secrets'
import { endpoint, type ApiContext } from '../../endpoint.ts'
import type { HealthSource } from '../../health-source.ts'
import { isoTime } from '../../page.ts'
import { storageWorks } from '../../storage-check.ts'

export const getDetailedHealth = endpoint({
  method: 'GET',
  path: '/api/v1/health/detailed',
  access: 'health:read',
  group: 'health',
  summary: 'Each component for itself',
  status: 200,
  answer: detailedHealth,

  async handle(context) {
    const { health, now, registry } = context
    const components = [
      storageComponent(await storageWorks(health)),
      await diskComponent(health),
      ...redisComponents(health.redisIsUp?.()),
      queueComponent(health.workload),
      historyComponent(health.history()),
      catalogComponent(context),
      sessionsComponent(health.sessions()),
      searchComponent(context),
      breakersComponent(context),
      ...registry.upstreams.list().map((record) => serverComponent(context, record)),
    ]
    return {
      overall_healthy: components.every((component) => component.healthy),
      uptime: (now() - health.startedAt) / 1000,
      version: health.version,
      timestamp: isoTime(now()),
      components,
    }
  },
})

function storageComponent(healthy: boolean): HealthComponent {
  const message = healthy ? 'The storage answers' : 'The storage does not answer, or takes no rows'
  return { name: 'storage', kind: 'storage', healthy, status: healthy ? 'online' : 'offline', message }
}

/** Below this the next checkpoint of the database may fail. */
const FREE_BYTES_MIN = 100_000_000

async function diskComponent(health: HealthSource): Promise<HealthComponent> {
  const facts = { name: 'disk', kind: 'disk' } as const
  try {
    const { freeBytes, totalBytes } = await health.freeSpace()
    const healthy = freeBytes >= FREE_BYTES_MIN
    const message = `${gigabytes(freeBytes)} of ${gigabytes(totalBytes)} GB free`
    return { ...facts, healthy, status: healthy ? 'online' : 'degraded', message }
  } catch {
    return { ...facts, healthy: false, status: 'offline', message: 'The data directory cannot be reached' }
  }
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1)
}

/** A database that is away, or slow, shows here first: callers wait once 10,000 rows do. */
const UNWRITTEN_MAX = 2000

function queueComponent({ running, queues, unwritten }: HealthSource['workload']): HealthComponent {
  const waiting = queues().reduce((sum, queue) => sum + queue.waiting, 0)
  const rows = unwritten()
  const healthy = rows <= UNWRITTEN_MAX
  const message = `${running} calls run, ${waiting} wait for their server, ${rows} are not in the history yet`
  return { name: 'queue', kind: 'queue', healthy, status: healthy ? 'online' : 'degraded', message }
}

function historyComponent({ days, removed, failure }: ReturnType<HealthSource['history']>): HealthComponent {
  const kept = days === 0 ? 'Calls and searches are kept for ever' : `Calls and searches are kept for ${days} days`
  const facts = { name: 'history', kind: 'history' } as const
  if (failure !== undefined)
    return {
      ...facts,
      healthy: false,
      status: 'degraded',
      message: `${kept}, but the old ones cannot be removed: ${failure}`,
    }
  return { ...facts, healthy: true, status: 'online', message: `${kept}, ${removed} were removed since the start` }
}

function redisComponents(healthy: boolean | undefined): HealthComponent[] {
  if (healthy === undefined) return []
  const message = healthy ? 'Redis answers' : 'Redis is away: limits, caches and news are local until it is back'
  return [{ name: 'redis', kind: 'redis', healthy, status: healthy ? 'online' : 'offline', message }]
}

function catalogComponent({ registry: { catalog } }: ApiContext): HealthComponent {
  const collisions = catalog.collisions().length
  const message = `${catalog.allTools().length} tools at revision ${catalog.revision}, ${collisions} name collisions`
  return { name: 'catalog', kind: 'catalog', healthy: true, status: 'online', message }
}

function sessionsComponent(count: number): HealthComponent {
  return {
    name: 'sessions',
    kind: 'sessions',
    healthy: true,
    status: 'online',
    message: `${count} client sessions open`,
  }
}

/** Without the model's vectors words and the static table answer, without the reranker the order of before: that is less, not broken. */
function searchComponent({ search }: ApiContext): HealthComponent {
  const progress = search.progress()
  const rerankFailure = search.rerankFailure()
  const messages = [
    vectorsMessage(progress),
    ...(rerankFailure === undefined ? [] : [`not reranked: ${rerankFailure}`]),
  ]
  const facts = { name: 'search', kind: 'search', message: messages.join('; ') } as const
  if (progress?.failure !== undefined || rerankFailure !== undefined)
    return { ...facts, healthy: false, status: 'degraded' }
  const isIndexing = progress !== undefined && progress.known < progress.wanted
  return { ...facts, healthy: true, status: isIndexing ? 'indexing' : 'online' }
}

function breakersComponent({ breakers }: ApiContext): HealthComponent {
  const all = breakers.list()
  const others = all.filter(({ state }) => state !== 'closed').map(({ name, state }) => `${name} is ${state}`)
  const healthy = others.length === 0
  const message = healthy ? `All ${all.length} are closed` : others.join(', ')
  return { name: 'circuit-breakers', kind: 'breakers', healthy, status: healthy ? 'online' : 'degraded', message }
}

function vectorsMessage(progress: NeuralProgress | undefined): string {
  if (!progress) return 'Finds by words and by the static table of meaning'
  const { model, known, wanted, failure, instead } = progress
  const message = `${model} knows ${known} of ${wanted} tools`
  if (failure === undefined) return message
  return `${message} and does not get on: ${failure}${instead ? `; instead of it ${vectorsMessage(instead)}` : ''}`
}

function serverComponent({ upstreams }: ApiContext, record: UpstreamRecord): HealthComponent {
  const { state, reason } = upstreams.status(record.id)
  const healthy = state !== 'offline' && state !== 'degraded'
  return { name: record.name, kind: 'server', healthy, status: state, message: redactor(record.connection)(reason) }
}
