import { BlockList, isIP } from 'node:net'
import { ValidationError } from '#kernel/errors'

/** Some IP addresses and networks. */
export interface AddressList {
  includes(address: string | undefined): boolean
}

/** Of addresses and CIDR ranges. Throws a ValidationError that names the entry which is neither. */
export function addressList(entries: readonly string[]): AddressList {
  const list = new BlockList()
  for (const entry of entries) add(list, entry)
  return {
    includes(address = '') {
      const version = isIP(address)
      // It takes IPv4 written as IPv6 for IPv4, and does not mind zones.
      return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6')
    },
  }
}

function add(list: BlockList, entry: string): void {
  const [address = '', bits, ...more] = entry.split('/')
  const version = isIP(address)
  const widest = version === 4 ? 32 : 128
  const isRange = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= widest)
  if (version === 0 || !isRange || more.length > 0 || address.includes('%')) {
    throw new ValidationError(`${JSON.stringify(entry.slice(0, 60))} is neither an address nor a range like 10.0.0.0/8`)
  }
  list.addSubnet(address, bits === undefined ? widest : Number(bits), version === 4 ? 'ipv4' : 'ipv6')
}

/** Whom to count together: an IPv4 address, or the /64 of an IPv6 address, of which one customer has all. */
export function networkOf(address: string): string {
  const plain = plainAddress(address)
  if (isIP(plain) !== 6) return plain
  const [left = [], right = []] = plain.split('::').map((half) => half.split(':').filter((group) => group !== ''))
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0')
  const groups = [...left, ...zeros, ...right].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
  return `${groups.join(':')}::/64`
}

/** Without the zone, and IPv4 as IPv4 where a socket of both kinds shows it as IPv6. */
function plainAddress(address: string): string {
  const bare = address.replace(/%.*$/s, '')
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? bare
}
