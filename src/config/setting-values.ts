import { isIP } from 'node:net'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { DatabaseConfig, LogLevel, Secret, SigningAlgorithm, SystemUser } from './config.ts'
import { createSecret, weaknessOf } from './secret.ts'

/**
 * Readers of settings, from text to value. Each throws an Error whose message completes the sentence
 * "META_MCP_X …" and never repeats a secret.
 */

/** The highest one means "as it is". */
const ID_MAX = 2 ** 32 - 1
const TRUE = new Set(['true', '1', 'yes', 'on'])
const FALSE = new Set(['false', '0', 'no', 'off'])

export function booleanOf(text: string): boolean {
  const word = text.toLowerCase()
  if (TRUE.has(word)) return true
  if (FALSE.has(word)) return false
  throw new Error(`must be true or false, not ${quoted(text)}`)
}

/** A reader of whole numbers between two limits. */
export function integerBetween(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= min && value <= max) return value
    throw new Error(`must be a whole number from ${min} to ${max}, not ${quoted(text)}`)
  }
}

/** A share of a whole, 0 to 1. */
export function shareOf(text: string): number {
  const value = Number(text)
  if (/^\d*\.?\d+$/.test(text) && value <= 1) return value
  throw new Error(`must be a number from 0 to 1, not ${quoted(text)}`)
}

/** A reader of seconds, fractions allowed, as milliseconds. */
export function secondsBetween(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+(\.\d+)?$/.test(text) && value >= min && value <= max) return Math.round(value * 1000)
    throw new Error(`must be a number of seconds from ${min} to ${max}, not ${quoted(text)}`)
  }
}

/** A reader of one of some words. */
export function oneOf<const T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const found = words.find((word) => word === text.toLowerCase())
    if (found !== undefined) return found
    throw new Error(`must be ${words.slice(0, -1).join(', ')} or ${words.at(-1)}, not ${quoted(text)}`)
  }
}

const ALGORITHMS: readonly SigningAlgorithm[] = [
  ...(['HS', 'RS', 'PS', 'ES'] as const).flatMap((kind) => [`${kind}256`, `${kind}384`, `${kind}512`] as const),
  'EdDSA',
]

export function algorithmOf(text: string): SigningAlgorithm {
  const found = ALGORITHMS.find((each) => each.toLowerCase() === text.toLowerCase())
  if (found !== undefined) return found
  throw new Error(`must be one of ${ALGORITHMS.join(', ')}, not ${quoted(text)}`)
}

/** Numbers, as names mean nothing to the kernel; 0 would be no other user. */
export function systemUserOf(text: string): SystemUser {
  const [, uid = 0, gid = 0] = (/^(\d{1,10}):(\d{1,10})$/.exec(text) ?? []).map(Number)
  if (uid < 1 || gid < 1 || Math.max(uid, gid) >= ID_MAX)
    throw new Error(`must be UID:GID like 1000:1000, not ${quoted(text)}`)
  return { uid, gid }
}

export function usernameOf(text: string): string {
  if (/^[^\s\p{C}]{1,64}$/u.test(text)) return text
  throw new Error(`must be a user name of 1 to 64 characters without blanks, not ${quoted(text)}`)
}

export function passwordOf(text: string): Secret {
  const length = Array.from(text).length
  if (length < 12 || length > 128) throw new Error('must have 12 to 128 characters')
  return createSecret(text)
}

export function roleNameOf(text: string): string {
  if (/^[a-z][a-z0-9_-]{0,63}$/.test(text)) return text
  throw new Error(`must be the name of a role, not ${quoted(text)}`)
}

const LEVELS: Readonly<Record<string, LogLevel>> = {
  debug: 'DEBUG',
  info: 'INFO',
  warning: 'WARNING',
  warn: 'WARNING',
  error: 'ERROR',
}

export function logLevelOf(text: string): LogLevel {
  const level = LEVELS[text.toLowerCase()]
  if (level) return level
  throw new Error(`must be DEBUG, INFO, WARNING or ERROR, not ${quoted(text)}`)
}

/** The address to listen on. */
export function hostOf(text: string): string {
  const host = text.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (host === 'localhost' || isIP(host) !== 0) return host
  throw new Error(`must be an IP address or localhost, not ${quoted(text)}`)
}

/** An absolute path; `~` is the home directory. */
export function pathOf(text: string): string {
  return resolve(text.replace(/^~(?=$|[/\\])/, homedir()))
}

/** The texts of a comma-separated list. */
function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
}

export function hostsOf(text: string): readonly string[] {
  return listOf(text).map((host) => {
    if (/^[\w.*-]+(:\d+)?$/.test(host) || isIP(host.replace(/^\[(.*)\]$/, '$1'))) return host.toLowerCase()
    throw new Error(`has ${quoted(host)}, which is no host name; write names without "http://" and path`)
  })
}

export function originsOf(text: string): readonly string[] {
  return listOf(text).map((origin) => {
    const url = URL.parse(origin)
    if (url && url.host !== '' && `${url.protocol}//${url.host}` === origin.toLowerCase().replace(/\/$/, ''))
      return `${url.protocol}//${url.host}`
    throw new Error(`has ${quoted(origin)}, which is no origin like https://app.example.com`)
  })
}

/** One origin. */
export function publicUrlOf(text: string): string {
  const [origin, ...others] = originsOf(text)
  if (origin !== undefined && others.length === 0 && /^https?:/.test(origin)) return origin
  throw new Error(`must be one origin like https://tools.example.com, not ${quoted(text)}`)
}

/** Addresses and CIDR ranges. */
export function addressesOf(text: string): readonly string[] {
  return rangesOf(text).map((range) => {
    if (isIP(range.split('/')[0] ?? '') !== 0) return range
    throw new Error(`has ${quoted(range)}, which is neither an address nor a range like 10.0.0.0/8`)
  })
}

/** Host names, addresses and CIDR ranges. */
export function rangesOf(text: string): readonly string[] {
  return listOf(text).map((range) => {
    const [address = '', bits, ...more] = range.split('/')
    const kind = isIP(address)
    const isRange = kind !== 0 && /^\d+$/.test(bits ?? '') && Number(bits) <= (kind === 4 ? 32 : 128)
    if (more.length === 0 && (isRange || (bits === undefined && (kind !== 0 || /^[\w.*-]+$/.test(address)))))
      return range
    throw new Error(`has ${quoted(range)}, which is neither a host nor a range like 10.0.0.0/8`)
  })
}

export function databaseOf(text: string): DatabaseConfig {
  const path = /^sqlite:(?:\/\/)?(.+)$/s.exec(text)?.[1]
  if (path !== undefined) return { kind: 'sqlite', path: path === ':memory:' ? path : pathOf(path) }
  const url = URL.parse(text)
  if (url?.protocol === 'postgresql:' || url?.protocol === 'postgres:')
    return { kind: 'postgres', url: createSecret(text) }
  throw new Error('must be sqlite:PATH or postgresql://USER:PASSWORD@HOST/DATABASE')
}

export function redisOf(text: string): Secret {
  const url = URL.parse(text)
  const isRedis = url !== null && /^rediss?:$/.test(url.protocol) && url.hostname !== ''
  if (isRedis && /^\/?\d*$/.test(url.pathname)) return createSecret(text)
  throw new Error('must be redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], or the same with rediss://')
}

/** Where the embedded database lies when nothing else is said. */
export function defaultDatabase(dataDir: string): DatabaseConfig {
  return { kind: 'sqlite', path: join(dataDir, 'metamcp.db') }
}

export function signingKeyOf(text: string): Secret {
  const weakness = weaknessOf(text)
  if (weakness === undefined) return createSecret(text)
  throw new Error(weakness)
}

export function signingKeysOf(text: string): readonly Secret[] {
  return listOf(text).map(signingKeyOf)
}

/** The address of a service. Not repeated in the error: people write keys into addresses. */
export function serviceUrlOf(text: string): string {
  const url = URL.parse(text)
  if (!url || url.host === '' || !/^https?:$/.test(url.protocol))
    throw new Error('must be an http or https address like http://localhost:11434/v1')
  if (url.username !== '' || url.password !== '')
    throw new Error('must not hold a user name or password; the key has a setting of its own')
  return url.href
}

export function modelNameOf(text: string): string {
  if (/^[^\p{Cc}]{1,200}$/u.test(text)) return text
  throw new Error(`must be the name of a model of up to 200 characters, not ${quoted(text)}`)
}

/** A key that is sent in a header. */
export function bearerKeyOf(text: string): Secret {
  if (/^[\x21-\x7e]{1,4096}$/.test(text)) return createSecret(text)
  throw new Error('must be a key of visible ASCII characters without blanks')
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
