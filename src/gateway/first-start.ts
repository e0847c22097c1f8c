import type { Identity } from '#identity/create-identity'
import { BUILT_IN_ROLES } from '#policy/roles'

/** What is made where there is no user at all: shown once, kept nowhere. */
export interface FirstStart {
  readonly administrator: { readonly username: string; readonly password?: string | undefined }
  /** For MCP clients. */
  readonly apiKey: string
}

const KEY_NAME = 'first start'
/** What MCP clients need: a key that lies in their configuration opens no more than that. */
const FOR_CLIENTS = BUILT_IN_ROLES.find(({ name }) => name === 'user')?.allow.map(({ text }) => text) ?? []

/** The first administrator, with a password of its own where none is given, and a key; undefined where there are users. */
export async function firstStart(
  identity: Identity,
  wanted: { readonly username: string; readonly password?: { reveal(): string } },
): Promise<FirstStart | undefined> {
  const { username, password } = wanted
  const first = await identity.ensureAdministrator({ username, password: password?.reveal() })
  if (!first) return undefined
  const { key } = await identity.apiKeys.create({ name: KEY_NAME, ownerId: first.user.id, permissions: FOR_CLIENTS })
  return { administrator: { username: first.user.username, password: first.password }, apiKey: key }
}
