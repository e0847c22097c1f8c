import { isIP } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { IncomingMessage } from 'node:http'
import { addressList } from './addresses.ts'

type Carried = Pick<IncomingMessage, 'headers' | 'socket'>

/** Whom a request really comes from, when a proxy speaks for him. */
export interface Forwarding {
  /** The nearest address that is no trusted proxy. Whoever is no trusted proxy speaks for himself alone. */
  addressOf(request: Carried): string | undefined
  /** Whether the caller's own connection is encrypted. */
  isSecure(request: Carried): boolean
}

/** Of addresses and CIDR ranges of proxies. Throws a ValidationError for what is neither. */
export function createForwarding(trustedProxies: readonly string[]): Forwarding {
  const trusted = addressList(trustedProxies)
  const isTrusted = (address: string | undefined): boolean => trustedProxies.length > 0 && trusted.includes(address)
  return {
    addressOf({ headers, socket }) {
      const peer = socket.remoteAddress
      if (!isTrusted(peer)) return peer
      let nearest = peer
      // Each proxy appends whom it heard: what stands left of the first stranger is his own tale.
      for (const hop of hopsOf(headers['x-forwarded-for']).toReversed()) {
        if (isIP(hop) === 0) break
        nearest = hop
        if (!isTrusted(hop)) break
      }
      return nearest
    },
    isSecure({ headers, socket }) {
      if ((socket as Partial<TLSSocket>).encrypted === true) return true
      return isTrusted(socket.remoteAddress) && hopsOf(headers['x-forwarded-proto']).at(-1) === 'https'
    },
  }
}

/** Without ports, which some proxies add. */
function hopsOf(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '')
  return text.split(',').map((hop) => hop.trim().replace(/^\[(.*)\](?::\d+)?$|^([\d.]+):\d+$/, '$1$2'))
}
