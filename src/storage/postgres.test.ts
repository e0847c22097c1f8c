import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { inspect } from 'node:util'
import { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { AppError } from '#kernel/errors'
import { hasPostgres, testPostgres } from '../../test/support/postgres.ts'
import { openQuietly, postgresConfig } from '../../test/support/storage-engines.ts'
import { execution, upstreamRecord } from '../../test/support/storage-samples.ts'

async function database() {
  const place = await testPostgres()
  if (!place) throw new Error('PostgreSQL is not installed')
  return place
}

async function refusal(url: string): Promise<AppError> {
  const outcome = await openQuietly(postgresConfig(url)).catch((error: unknown) => error)
  if (!(outcome instanceof AppError)) throw new Error('was not refused')
  return outcome
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

/** A way to the database that can be cut, as networks are. */
async function cuttableWay(url: string) {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((near) => {
    if (isCut) return near.destroy()
    const far = connect({ host: target.hostname, port: Number(target.port) })
    for (const socket of [near, far]) sockets.add(socket.on('error', () => {}))
    return near.pipe(far).pipe(near)
  })
  const way = new URL(url)
  way.port = String(await listening(server))
  const cut = () => {
    isCut = true
    for (const socket of sockets) socket.destroy()
  }
  const mend = () => {
    isCut = false
  }
  return { url: way.href, cut, mend, [Symbol.dispose]: () => (cut(), server.close()) }
}

describe.skipIf(!hasPostgres())('PostgreSQL', () => {
  test('many replicas can start on an empty database at once', async () => {
    await using place = await database()
    await using replicas = new AsyncDisposableStack()
    const opened = await Promise.all(Array.from({ length: 5 }, () => openQuietly(postgresConfig(place.url))))
    for (const replica of opened) replicas.use(replica)
    await Promise.all(opened.map((replica) => replica.registry.upstreams.insert(upstreamRecord())))
    for (const replica of opened) expect(await replica.registry.upstreams.list()).toHaveLength(5)
  })

  test('of replicas that take one name at once exactly one succeeds', async () => {
    await using place = await database()
    await using one = await openQuietly(postgresConfig(place.url))
    await using other = await openQuietly(postgresConfig(place.url))
    const attempts = [one, other, one, other].map((replica) =>
      replica.registry.upstreams.insert(upstreamRecord({ name: 'files' })),
    )
    const results = await Promise.allSettled(attempts)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  test('two gateways share a database in schemas of their own', async () => {
    await using place = await database()
    const admin = new Client({ connectionString: place.url })
    await admin.connect()
    await admin.query('create schema red; create schema blue')
    await admin.end()
    await using red = await openQuietly(postgresConfig(`${place.url}?options=-csearch_path%3Dred`))
    await using blue = await openQuietly(postgresConfig(`${place.url}?options=-csearch_path%3Dblue`))
    await red.registry.upstreams.insert(upstreamRecord({ name: 'files' }))
    expect(await blue.registry.upstreams.list()).toEqual([])
  })

  test('a broken connection is an unavailable storage for a while, never the end of the process', async () => {
    await using place = await database()
    using way = await cuttableWay(place.url)
    await using storage = await openQuietly(postgresConfig(way.url))
    const running = Array.from({ length: 10 }, () => storage.executions.append([execution()]))
    way.cut()
    const outcomes = await Promise.allSettled([...running, storage.check(), storage.registry.upstreams.list()])
    expect(outcomes).toContainEqual(expect.objectContaining({ status: 'rejected' }))
    for (const outcome of outcomes.filter(({ status }) => status === 'rejected')) {
      expect(outcome).toMatchObject({ reason: { code: 'unavailable', message: 'The storage does not answer' } })
    }
    way.mend()
    await storage.check()
    await storage.registry.upstreams.insert(upstreamRecord())
  })

  test('a session that the server ends is replaced', async () => {
    await using place = await database()
    await using storage = await openQuietly(postgresConfig(place.url))
    const admin = new Client({ connectionString: place.url })
    await admin.connect()
    const { rowCount } = await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'metamcp' and datname = current_database()`,
    )
    await admin.end()
    expect(rowCount).toBeGreaterThan(0)
    await storage.check().catch(() => storage.check())
  })

  test('a wrong database, user or server is named plainly, and the password never', async () => {
    await using place = await database()
    const url = new URL(place.url)
    url.password = 'hunter2'
    url.pathname = '/no_such_database'
    const { message, code } = await refusal(url.href)
    expect(code).toBe('unavailable')
    expect(message).toBe(
      `PostgreSQL at ${url.hostname}:${url.port}, database no_such_database, cannot be used: there is no such database`,
    )
  })
})

describe('a PostgreSQL that is not there', () => {
  test('is named with its address, without the password', async () => {
    const server = createServer()
    const port = await listening(server)
    server.close()
    const error = await refusal(`postgres://bob:hunter2@127.0.0.1:${port}/metamcp`)
    expect(error).toMatchObject({
      code: 'unavailable',
      message: `PostgreSQL at 127.0.0.1:${port}, database metamcp, cannot be used: nothing listens there`,
    })
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2')
  })

  test('is given up when it accepts and says nothing', { timeout: 15_000 }, async () => {
    const silent = createServer()
    const port = await listening(silent)
    const { code, message } = await refusal(`postgres://bob:hunter2@127.0.0.1:${port}/metamcp`)
    silent.close()
    expect(code).toBe('unavailable')
    expect(message).toContain(`127.0.0.1:${port}`)
    expect(message).not.toContain('hunter2')
  })

  test('an address that is no URL is refused without being repeated', async () => {
    const { code, message } = await refusal('postgres://bob:hunter2@[oops:5432/metamcp')
    expect(code).toBe('unavailable')
    expect(message).toBe('The address of PostgreSQL is not a valid URL')
  })
})
