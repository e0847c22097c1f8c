// For a gateway in a process of its own (`--import`): names are what a file says at the moment they are asked for.
import dns from 'node:dns'
import { readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { isIP, type LookupFunction } from 'node:net'
import { phoneBook } from './phone-book.ts'

const system = dns.lookup as LookupFunction

const lookup: LookupFunction = (hostname, options, callback) => {
  if (isIP(hostname) !== 0) return system(hostname, options, callback)
  const path = process.env['TEST_PHONE_BOOK'] ?? ''
  const book = JSON.parse(readFileSync(path, 'utf8')) as Record<string, readonly string[]>
  setImmediate(() => phoneBook(book)(hostname, options, callback))
}

Object.assign(dns, { lookup })
syncBuiltinESMExports()
