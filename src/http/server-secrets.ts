import { ValidationError } from '#kernel/errors'
import type { Connection } from '#registry/records'
import { MASK, maskArguments, maskUrl, maskValues, unmaskValues } from '#kernel/masks'

/** How a server is reached, as answers show it. */
export function maskedConnection(connection: Connection) {
  if (connection.kind === 'http') {
    return { url: maskUrl(connection.url), headers: maskValues(connection.headers) }
  }
  return {
    command: connection.command,
    args: maskArguments(connection.args),
    env: maskValues(connection.env),
    ...(connection.cwd === undefined ? {} : { cwd: connection.cwd }),
  }
}

/**
 * A new connection with `***` replaced by what it stands for. A kept secret goes where it went before and nowhere else:
 * otherwise whoever may edit a server could have its secrets sent to an address of their own.
 */
export function unmaskedConnection(wanted: Connection, before: Connection | undefined): Connection {
  const full = before ? withKeptPlaces(wanted, before) : wanted
  const kept = before && isSamePlace(full, before) ? secretsOf(before) : {}
  const values = unmaskValues(secretsOf(full), kept)
  const field = full.kind === 'http' ? 'headers' : 'env'
  if (!values || hasMask(full)) {
    throw new ValidationError(`"${MASK}" stands for a value only while the server stays where it is: give it again`, {
      field,
    })
  }
  return full.kind === 'http' ? { ...full, headers: values } : { ...full, env: values }
}

function withKeptPlaces(wanted: Connection, before: Connection): Connection {
  if (wanted.kind === 'http') {
    return before.kind === 'http' && wanted.url === maskUrl(before.url) ? { ...wanted, url: before.url } : wanted
  }
  if (before.kind !== 'stdio' || wanted.command !== before.command) return wanted
  return isSameList(wanted.args, maskArguments(before.args)) ? { ...wanted, args: before.args } : wanted
}

/** Whoever may choose a command's arguments runs code beside the gateway; only the command itself is the place. */
function isSamePlace(one: Connection, other: Connection): boolean {
  if (one.kind === 'stdio') return other.kind === 'stdio' && one.command === other.command
  return other.kind === 'http' && URL.parse(one.url)?.origin === URL.parse(other.url)?.origin
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index])
}

function secretsOf(connection: Connection): Readonly<Record<string, string>> {
  return connection.kind === 'http' ? connection.headers : connection.env
}

function hasMask(connection: Connection): boolean {
  if (connection.kind === 'http') return connection.url.includes(MASK)
  return connection.args.some((argument) => argument === MASK || argument.endsWith(`=${MASK}`))
}
