import { expect } from 'vitest'
import type { ApiClient } from './api-client.ts'
import { startBackend, type RecordingBackend } from './recording-backend.ts'
import { startTestApp, type TestApp, type TestAppOptions } from './test-app.ts'
import { until } from './until.ts'

interface ServerList {
  readonly servers: readonly { readonly name: string; readonly status: string }[]
}

type Headers = Readonly<Record<string, string>>

const ADMIN = { username: 'root', password: 'correct horse battery' }
/** Of everybody whom the stage makes. */
export const PASSWORD = 'battery horse correct'

/** A person of the stage, logged in. */
export interface Actor {
  readonly id: string
  readonly username: string
  readonly token: string
  readonly refreshToken: string
  /** What shows the token. */
  readonly headers: Headers
}

/** A gateway that lets nobody in without a credential, an API behind it, and people. */
export interface SecurityStage extends AsyncDisposable {
  readonly app: TestApp
  readonly api: ApiClient
  readonly url: string
  readonly mcp: string
  readonly backend: RecordingBackend
  readonly admin: Actor
  /** A new user with these roles. */
  join(...roles: string[]): Promise<Actor>
  /** An API key of somebody. */
  keyOf(owner: Actor, draft?: Record<string, unknown>): Promise<{ id: string; headers: Headers }>
  login(username: string, password?: string): Promise<Actor>
  /** Waits until these servers are online. */
  online(...names: string[]): Promise<void>
}

export const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` })

export interface StageOptions extends Pick<TestAppOptions, 'directory'> {
  readonly env?: Readonly<Record<string, string>>
  /** The operator's file; the backend's address is known to it. */
  readonly file?: (backend: RecordingBackend) => Record<string, unknown>
}

export async function openSecurityStage({ env, file, ...more }: StageOptions = {}): Promise<SecurityStage> {
  await using cleanup = new AsyncDisposableStack()
  const backend = cleanup.use(await startBackend())
  const app = cleanup.use(
    await startTestApp({
      env: {
        META_MCP_ANONYMOUS_ROLE: 'none',
        META_MCP_ADMIN_USERNAME: ADMIN.username,
        META_MCP_ADMIN_PASSWORD: ADMIN.password,
        META_MCP_SEARCH_EMBEDDER: 'static',
        // Who attacks is to be stopped by what he meets, not by how often he knocks.
        META_MCP_RATE_LIMIT_LOGIN: '0',
        META_MCP_RATE_LIMIT_MANAGEMENT: '0',
        ...env,
      },
      file: file?.(backend) ?? {},
      ...more,
    }),
  )
  const { api } = app
  const login = async (username: string, password = PASSWORD): Promise<Actor> => {
    const { status, body } = await api.send<Record<string, string>>('POST', 'auth/login', { username, password })
    expect([username, status]).toEqual([username, 200])
    const { access_token: token = '', refresh_token: refreshToken = '' } = body
    const me = await api.send<{ user_id: string }>('GET', 'auth/me', undefined, bearer(token))
    return { id: me.body.user_id, username, token, refreshToken, headers: bearer(token) }
  }
  const admin = await login(ADMIN.username, ADMIN.password)
  let joined = 0
  const kept = cleanup.move()
  return {
    app,
    api,
    url: app.listening.url,
    mcp: app.listening.mcp,
    backend,
    admin,
    login,
    async online(...names) {
      await until(`${names.join(' and ')} online`, async () => {
        const { body } = await api.send<ServerList>('GET', 'proxy/servers', undefined, admin.headers)
        return names.every((name) => body.servers.some((each) => each.name === name && each.status === 'online'))
      })
    },
    async join(...roles) {
      joined += 1
      const username = `person-${joined}`
      const made = await api.send('POST', 'users', { username, password: PASSWORD, roles }, admin.headers)
      expect([made.status, made.text]).toEqual([201, made.text])
      return login(username)
    },
    async keyOf(owner, draft = {}) {
      const made = await api.send<{ key_id: string; key: string }>(
        'POST',
        'api-keys',
        { name: 'key', ...draft },
        owner.headers,
      )
      expect([made.status, made.text]).toEqual([201, made.text])
      return { id: made.body.key_id, headers: bearer(made.body.key) }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
