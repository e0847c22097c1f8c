import { join } from 'node:path'
import { startGatewayChild, type GatewayChild } from './gateway-child.ts'
import { hasPostgres, testPostgres } from './postgres.ts'
import { hasRedisServer, startRedisServer, type RedisServer } from './redis-server.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'
import { newDirectory } from './test-app.ts'

/** Whether `startReplicas` can start anything; for `describe.skipIf`. */
export const hasReplicas = hasPostgres() && hasRedisServer()

/** Two gateways in processes of their own on one PostgreSQL and one Redis. */
export interface Replicas extends AsyncDisposable {
  readonly one: GatewayChild
  readonly two: GatewayChild
  readonly redis: RedisServer
  /** Through which they reach it. */
  readonly wire: TcpProxy
  /** Starts a third one. */
  another(): Promise<GatewayChild>
}

const ADMIN = { username: 'root', password: 'correct horse battery' }
const SECRET = 'k9Zq-4vXw2Lm7Tb1Yc6Rd8Pf3Hs5Ja0Ne-replicas'

export async function startReplicas(options: {
  readonly env?: Readonly<Record<string, string>>
  readonly file?: Readonly<Record<string, unknown>>
}): Promise<Replicas> {
  await using resources = new AsyncDisposableStack()
  const directory = resources.use(await newDirectory())
  const database = await testPostgres()
  if (!database) throw new Error('no PostgreSQL')
  resources.use(database)
  const redis = resources.use(await startRedisServer())
  const wire = resources.use(await startTcpProxy(redis.port))
  const env = {
    META_MCP_DATABASE_URL: database.url,
    META_MCP_REDIS_URL: `redis://127.0.0.1:${wire.port}`,
    META_MCP_SECRET_KEY: SECRET,
    META_MCP_ANONYMOUS_ROLE: 'none',
    META_MCP_ADMIN_USERNAME: ADMIN.username,
    META_MCP_ADMIN_PASSWORD: ADMIN.password,
    ...options.env,
  }
  let count = 0
  const start = async (): Promise<GatewayChild> => {
    const file = options.file === undefined ? {} : { file: options.file }
    return startGatewayChild({ directory: join(directory.path, String((count += 1))), env, ...file })
  }
  // One after the other: the first one makes the tables and the administrator.
  const [one, two] = [resources.use(await start()), resources.use(await start())]
  const kept = resources.move()
  return { one, two, redis, wire, another: start, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** The header with a fresh access token of somebody, the administrator unless one is named. */
export async function loggedIn(
  { api }: GatewayChild,
  who: object = ADMIN,
): Promise<{ readonly authorization: string }> {
  const { status, body } = await api.send<{ access_token: string }>('POST', 'auth/login', who)
  if (status !== 200) throw new Error(`login answered ${status}`)
  return { authorization: `Bearer ${body.access_token}` }
}
