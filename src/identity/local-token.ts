import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Principal } from './principal.ts'

const PREFIX = 'mmlt_'
const SHAPE = /^mmlt_[\w-]{43}$/

/** The person whose gateway it is, by commands on the same machine. No user can have a name with a blank. */
export const LOCAL_COMMANDS: Principal = {
  id: 'local-commands',
  username: 'local commands',
  roles: ['admin'],
  kind: 'local',
}

/** A credential for as long as this process runs. Who can read the file in which it stands owns the gateway anyway. */
export function newLocalToken(): string {
  return PREFIX + randomBytes(32).toString('base64url')
}

/** Whether it has the form of a local token. */
export function isLocalToken(credential: string): boolean {
  return SHAPE.test(credential)
}

/** How long it takes says nothing about the token; both have the form of one. */
export function isSameToken(credential: string, token: string): boolean {
  return timingSafeEqual(Buffer.from(credential), Buffer.from(token))
}
