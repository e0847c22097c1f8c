import type { Logger } from '#kernel/logger'

export function gatewayListening(log: Logger, facts: { readonly url: string; readonly servers: number }): void {
  log.info(facts, 'gateway listening')
}

interface BreakerChange {
  readonly name: string
  readonly from: string
  readonly to: string
}

/** What is behind it rests, is probed, or works again. */
export function breakerChanged(log: Logger, { name, from, to }: BreakerChange): void {
  const facts = { breaker: name, from, to }
  if (to === 'open') log.warn(facts, 'breaker changed state')
  else log.info(facts, 'breaker changed state')
}

/** Credentials and results travel readable. */
export function listeningInTheOpen(log: Logger, host: string): void {
  const advice =
    'put a proxy with TLS in front and let only it in, or set META_MCP_TLS_CERT_FILE and META_MCP_TLS_KEY_FILE'
  log.warn({ host, advice }, 'LISTENING WITHOUT TLS WHERE OTHER MACHINES CAN REACH IT')
}

interface Collision {
  readonly kind: string
  readonly wanted: string
  readonly given: string
  readonly originalName: string
}

/** What the log follows of the catalog. */
interface FollowedCatalog {
  readonly revision: number
  onChange(listener: (change: { readonly namespace?: string }) => void): unknown
  collisions(): readonly Collision[]
}

/** One line a changed list, and one a name that had to give way to another: never silently. */
export function followCatalog(log: Logger, catalog: FollowedCatalog): void {
  const told = new Set<string>()
  const tellCollisions = (): void => {
    for (const { kind, wanted, given, originalName } of catalog.collisions()) {
      if (!told.has(given)) log.warn({ kind, wanted, given, originalName }, 'name already taken')
      told.add(given)
    }
  }
  tellCollisions()
  catalog.onChange((change) => {
    log.info({ revision: catalog.revision, ...change }, 'catalog changed')
    tellCollisions()
  })
}

interface Lockables {
  readonly name: string
  readonly locked?: { readonly reason: string }
}

/** Whose secrets cannot be read is not used, and not lost. */
export function secretsLocked(
  log: Logger,
  kinds: Readonly<Record<'upstreams' | 'httpTools', { list(): readonly Lockables[] }>>,
): void {
  for (const { name, locked } of [...kinds.upstreams.list(), ...kinds.httpTools.list()]) {
    if (locked) log.error({ name, reason: locked.reason }, 'stored secrets cannot be read')
  }
}
