import type { LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'

/** A resolver with a fixed phone book. */
export function phoneBook(book: Readonly<Record<string, readonly string[]>>): LookupFunction {
  return (hostname, options, callback) => {
    const found: LookupAddress[] = (book[hostname] ?? []).map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }))
    const [first] = found
    if (!first) return callback(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }), [])
    if (options.all === true) callback(null, found)
    else callback(null, first.address, first.family)
  }
}
