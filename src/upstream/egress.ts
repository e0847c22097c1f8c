import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction, type OnReadOpts } from 'node:net'
import { buildConnector } from 'undici'
import { AppError } from '#kernel/errors'
import { matchesAny } from '#kernel/glob'
import { addressSet, isPublicAddress, LOOPBACK } from './address-ranges.ts'

export interface EgressOptions {
  /** Addresses, CIDR ranges and host names (`*` matches any run of characters) that are allowed although not public. */
  readonly egressAllow: readonly string[]
  /** Whether the gateway listens on loopback only: then loopback is allowed (docs/decisions/0003-loopback-egress.md). */
  readonly isLoopbackOnly: boolean
  /** How names become addresses; the system's way by default. */
  readonly lookup?: LookupFunction
}

/** Where the gateway may connect to on behalf of what the operator did not write down himself. */
export interface Egress {
  /**
   * Rejects with AppError `policy_violation` unless the URL has one of the schemes and leads where the gateway may go. Answers what
   * lets it go there, where that is not public.
   */
  check(url: string, schemes: readonly string[]): Promise<string | undefined>
  /** For `net.connect`: like the system's lookup, but fails for a name that leads elsewhere now (DNS rebinding). */
  readonly lookup: LookupFunction
  /** For undici's `connect`: `lookup`, and the same rule for addresses, which are never looked up. `read` goes to the socket. */
  connector(connectTimeoutMs: number, read?: OnReadOpts): buildConnector.connector
}

/** `code` of what a refused connection fails with. */
export const EGRESS_REFUSED = 'ERR_EGRESS_REFUSED'
const SETTING = 'META_MCP_EGRESS_ALLOW'
const LOOKUP_TIMEOUT_MS = 3000

export function createEgress({ egressAllow, isLoopbackOnly, lookup = systemLookup }: EgressOptions): Egress {
  const entries = egressAllow.map((entry) => entry.toLowerCase().replace(/^\[(.*)\]$/, '$1'))
  const allowed = addressSet(entries.filter(isAddressOrRange))
  const names = entries.filter((entry) => !isAddressOrRange(entry))
  const isAllowedName = (host: string): boolean => matchesAny(names, host)
  const isAllowedAddress = (address: string): boolean =>
    isPublicAddress(address) || allowed.has(address) || (isLoopbackOnly && LOOPBACK.has(address))

  const guarded: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, [])
      const addresses = listOf(found)
      const isFree = isAllowedName(plainHost(hostname)) || addresses.every(({ address }) => isAllowedAddress(address))
      const [first] = addresses
      if (!isFree || !first) return callback(refusedConnection(), [])
      if (options.all === true) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
  return {
    async check(text, schemes) {
      const host = plainHost(wellWritten(text, schemes).hostname)
      if (isAllowedName(host)) return SETTING
      const addresses = isIP(host) === 0 ? await addressesOf(lookup, host) : [host]
      // A name that nobody knows may be known tomorrow; then `lookup` decides. Names that lead inside are refused now.
      const isFree = addresses.length === 0 ? !leadsInside(host) : addresses.every(isAllowedAddress)
      if (!isFree) throw refused('The address leads to a host that is not public')
      const inside = addresses.filter((address) => !isPublicAddress(address))
      if (inside.length === 0) return undefined
      return inside.every((address) => allowed.has(address)) ? SETTING : 'loopback'
    },
    lookup: guarded,
    connector(connectTimeoutMs, read) {
      const connect = buildConnector({ timeout: connectTimeoutMs, lookup: guarded, ...(read && { onread: read }) })
      return (options, callback) => {
        const host = plainHost(options.hostname)
        const isFree = isIP(host) === 0 || isAllowedName(host) || isAllowedAddress(host)
        if (isFree) connect(options, callback)
        else callback(refusedConnection(), null)
      }
    },
  }
}

function isAddressOrRange(entry: string): boolean {
  return isIP(entry.split('/')[0] ?? '') !== 0
}

/** Without the brackets of IPv6 and the dot that may end a name. */
function plainHost(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
}

/** The URL, if its host is written as it will be used: what a parser has to repair is how checks are deceived. */
function wellWritten(text: string, schemes: readonly string[]): URL {
  const url = URL.parse(text)
  if (!url || !/^[^\s\p{C}\\]+$/u.test(text)) throw refused('The address is not a well-formed URL')
  if (!schemes.includes(url.protocol)) throw refused(`The address must begin with ${schemes.join('// or ')}//`)
  if (url.username !== '' || url.password !== '') throw refused('The address must not hold a user or a password')
  const [, authority = ''] = /^[a-z]+:\/\/([^/?#]*)/i.exec(text) ?? []
  const host = authority.replace(/:\d*$/, '').toLowerCase()
  if (host !== url.hostname || /[{}]/.test(host))
    throw refused('The host of the address is not written in its plain form')
  return url
}

function addressesOf(lookup: LookupFunction, host: string): Promise<string[]> {
  return new Promise((resolve) => {
    const patience = setTimeout(() => resolve([]), LOOKUP_TIMEOUT_MS)
    lookup(host, { all: true }, (error, found) => {
      clearTimeout(patience)
      resolve(error ? [] : listOf(found).map(({ address }) => address))
    })
  })
}

function listOf(found: string | LookupAddress[]): LookupAddress[] {
  return typeof found === 'string' ? [{ address: found, family: isIP(found) }] : found
}

const INSIDE = ['internal', 'local', 'localhost', 'localdomain', 'lan', 'home', 'corp', 'intranet', 'private', 'arpa']
/** Public zones that exist to lead to whatever address is written in a name. */
const DISGUISES = ['nip.io', 'sslip.io', 'xip.io', 'localtest.me', 'lvh.me', 'vcap.me', 'lacolhost.com', 'traefik.me']

function leadsInside(host: string): boolean {
  return !host.includes('.') || [...INSIDE, ...DISGUISES].some((zone) => host === zone || host.endsWith(`.${zone}`))
}

function refused(sentence: string): AppError {
  return new AppError(
    'policy_violation',
    `${sentence}. An operator can allow it with ${SETTING}, or name the server in the configuration file`,
  )
}

function refusedConnection(): NodeJS.ErrnoException {
  return Object.assign(new Error('The host is not public'), { code: EGRESS_REFUSED })
}
