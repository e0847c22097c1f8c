import { BlockList, isIP } from 'node:net'

/** A set of addresses and CIDR ranges. A range of IPv4 never holds an IPv6 form of its addresses. */
export interface AddressSet {
  /** False for what is no address. */
  has(address: string): boolean
}

/** Throws for what is neither an address nor a CIDR range. */
export function addressSet(ranges: readonly string[]): AddressSet {
  const lists = { 4: new BlockList(), 6: new BlockList() }
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    const family = isIP(address) === 6 ? 6 : 4
    if (bits === undefined) lists[family].addAddress(address, `ipv${family}`)
    else lists[family].addSubnet(address, Number(bits), `ipv${family}`)
  }
  return {
    has(address) {
      const family = isIP(address)
      if ((family !== 4 && family !== 6) || address.includes('%')) return false
      return lists[family].check(address, `ipv${family}`)
    },
  }
}

export const LOOPBACK: AddressSet = addressSet(['127.0.0.0/8', '::1'])

/** IANA's special-purpose IPv4 ranges, multicast, reserved, and the metadata service that Azure keeps at a public address. */
const SPECIAL_4 = addressSet([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
])

/** All other IPv6 is special: mapped, compatible, translated (64:ff9b::), unique local, link-local, site-local, multicast. */
const GLOBAL_6 = addressSet(['2000::/3'])
/** Special parts of it: IETF assignments with Teredo and ORCHID, documentation, 6to4. */
const SPECIAL_6 = addressSet(['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'])

/** Whether an address belongs to the public Internet. False for what is no address. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !SPECIAL_4.has(address)
  return GLOBAL_6.has(address) && !SPECIAL_6.has(address)
}
