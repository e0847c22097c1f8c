import type { IncomingMessage } from 'node:http'
import { AppError } from '#kernel/errors'

const LOOPBACK_NAMES = new Set(['localhost', '[::1]'])
/** Whoever wrote an address instead of a name has not been led there by anybody's DNS. */
const LOOPBACK_ADDRESS = /^127(?:\.\d{1,3}){3}$/

export interface HostGuardOptions {
  /** Where the gateway listens: a name of its own, unless it is every address. */
  readonly host?: string
  /** Pages of this machine are welcome only where nobody else can come from. */
  readonly isLoopbackOnly?: boolean
  /** Beside the loopback names; without port. */
  readonly allowedHosts: readonly string[]
  /** Whole origins, beside those of the loopback names with any port. */
  readonly allowedOrigins: readonly string[]
}

/** Refuses requests that a web page of somebody else made a browser send (DNS rebinding). Undefined means welcome. */
export type HostGuard = (request: Pick<IncomingMessage, 'headers'>) => AppError | undefined

/** Host and Origin are checked each for itself: either one alone can be forged by rebinding. */
export function createHostGuard(options: HostGuardOptions): HostGuard {
  const { allowedHosts, allowedOrigins, isLoopbackOnly = true } = options
  const own = new Set([...allowedHosts.map((host) => host.toLowerCase()), ...addressed(options.host)])
  const origins = new Set(allowedOrigins.map((origin) => origin.toLowerCase()))
  const known = new Set<string>()
  const isHost = (host: string): boolean => {
    const name = HOST.exec(host)?.[1]?.toLowerCase()
    return name !== undefined && (isOwn(name, host) || isLocal(name))
  }
  const isOwn = (name: string, host: string): boolean => own.has(name) || own.has(host.toLowerCase())
  const isOrigin = (origin: string): boolean => {
    if (origins.has(origin.toLowerCase())) return true
    const host = /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]
    const name = HOST.exec(host ?? '')?.[1]?.toLowerCase()
    return host !== undefined && name !== undefined && (isOwn(name, host) || (isLoopbackOnly && isLocal(name)))
  }
  return function guardHost({ headers }) {
    const { host = '', origin } = headers
    if (!known.has(host)) {
      if (!isHost(host)) return new AppError('forbidden', 'This Host is not one of this gateway')
      if (known.size < 1000) known.add(host)
    }
    if (origin !== undefined && !isOrigin(origin))
      return new AppError('forbidden', 'Requests from this Origin are not accepted')
    return undefined
  }
}

function isLocal(name: string): boolean {
  return LOOPBACK_NAMES.has(name) || LOOPBACK_ADDRESS.test(name)
}

function addressed(host = '::'): string[] {
  if (host === '0.0.0.0' || host === '::') return []
  return [host.includes(':') ? `[${host}]` : host]
}

/** A host with an optional port and nothing else: no user info, no path. */
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i
