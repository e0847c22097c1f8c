import type { Environment } from '#config/env'
import { readGatewayFile } from '#config/gateway-file'
import { dataDirOf } from '#config/load'
import { KEY_VARIABLE } from '#config/settings'
import { tokenAnswer } from '#contract/auth'
import { CliError } from './cli-error.ts'
import { ask, refusalOf } from './exchange.ts'
import { createLogins, type Login, type Logins } from './logins.ts'

/** A token that ends within this time is renewed before it is shown. */
const MARGIN_MS = 30_000

/** What a command proves with who it is. */
export interface Credentials {
  /**
   * What to show now, undefined for nothing. `refused` is what the gateway has just refused: then another one, or
   * undefined when there is none. Rejects with CliError when a login has ended.
   */
  current(refused?: string): Promise<string | undefined>
}

/** The API key of the environment, else the login at this gateway, else what a gateway on this machine left for commands. */
export function credentialsFor(url: string, env: Environment, dataDir = dataDirOf(env)): Credentials {
  const key = env[KEY_VARIABLE] || undefined
  const logins = createLogins(dataDir)
  return {
    async current(refused) {
      if (key !== undefined) return refused === undefined ? key : undefined
      const login = await logins.find(url)
      if (login) return loginToken({ url, logins, login }, refused)
      const token = localToken(url, dataDir)
      return token === refused ? undefined : token
    },
  }
}

/** Only for the very gateway that wrote it. */
function localToken(url: string, dataDir: string): string | undefined {
  const gateway = readGatewayFile(dataDir)
  return gateway?.url === url ? gateway.token : undefined
}

interface Stored {
  readonly url: string
  readonly logins: Logins
  readonly login: Login
}

async function loginToken(stored: Stored, refused: string | undefined): Promise<string> {
  if (isGood(stored.login, refused)) return stored.login.access_token
  const { url, logins } = stored
  return logins.alone(async () => {
    // Another command may have renewed it, or forgotten it, while this one waited.
    const login = await logins.find(url)
    if (!login) throw ended(stored)
    if (isGood(login, refused)) return login.access_token
    return renewed({ ...stored, login })
  })
}

function isGood({ access_token: token, expires_at: expiresAt }: Login, refused: string | undefined): boolean {
  return token !== refused && expiresAt - MARGIN_MS > Date.now()
}

async function renewed({ url, logins, login }: Stored): Promise<string> {
  const body = JSON.stringify({ refresh_token: login.refresh_token })
  const reply = await ask('POST', url, 'auth/refresh', { body })
  if (reply.status === 401) throw ended({ url, login })
  const next = loginOf(login.username, tokenAnswer.safeParse(reply.value).data)
  if (!next) throw refusalOf(reply, url)
  await logins.put(url, next)
  return next.access_token
}

function ended({ url, login }: Pick<Stored, 'url' | 'login'>): CliError {
  const what = `The login of ${login.username} at ${url} has ended`
  return new CliError(`${what}; "metamcp login" opens another, "metamcp logout" forgets it`)
}

/** What is kept of an answer with tokens; undefined where it is none. */
export function loginOf(
  username: string,
  answer: { access_token: string; refresh_token: string; expires_in: number } | undefined,
): Login | undefined {
  if (!answer) return undefined
  const { access_token, refresh_token, expires_in } = answer
  return { username, access_token, refresh_token, expires_at: Date.now() + expires_in * 1000 }
}
