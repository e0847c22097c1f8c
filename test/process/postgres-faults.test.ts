import { chownSync } from 'node:fs'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeNamespace, namespaceNames, readiness, totalOf, untilRefused } from '../support/durability.ts'
import { canMakeDisks, smallFileSystem, type FullDisk } from '../support/full-disk.ts'
import { sick, startGatewayChild, type GatewayChild } from '../support/gateway-child.ts'
import { findPostgres, serverUser, startCluster } from '../support/postgres-cluster.ts'
import { newDirectory } from '../support/test-app.ts'
import { until } from '../support/until.ts'

/** A database alone needs eight. */
const DISK_BYTES = 48 * 1024 * 1024
const OWN = "pid from pg_stat_activity where usename = 'gateway'"
const END_ALL = `select pg_terminate_backend(pid) from (select ${OWN}) own`
const LOCK = 'begin; lock table executions, audit_blocks, audit_heads, namespaces in access exclusive mode'
/** What a statement timeout does to whoever waits. */
const CANCEL_ALL = `select pg_cancel_backend(pid) from (select ${OWN} and state = 'active') own`
/** More than the gateway has connections. */
const READERS = 12

interface Stage {
  readonly disk: FullDisk | undefined
  /** Asks as the superuser, on the database of the gateway. */
  ask(...statements: readonly string[]): Promise<void>
}

interface Fault {
  readonly name: string
  readonly break: (stage: Stage, gateway: GatewayChild) => Promise<unknown>
  readonly mend: (stage: Stage) => Promise<unknown>
  readonly isLeftOut?: boolean
}

const FAULTS: readonly Fault[] = [
  {
    name: 'has no connection left for us',
    break: ({ ask }) => ask('alter role gateway connection limit 0', END_ALL),
    mend: ({ ask }) => ask('alter role gateway connection limit -1'),
  },
  {
    name: 'takes no rows since it has changed its place with another',
    break: ({ ask }) => ask('alter role gateway set default_transaction_read_only = on', END_ALL),
    mend: ({ ask }) => ask('alter role gateway reset default_transaction_read_only', END_ALL),
  },
  lockedOut(),
  {
    name: 'has a full disk',
    isLeftOut: !canMakeDisks,
    break: async ({ disk }) => disk?.fill(0),
    mend: async ({ disk }) => disk?.free(0),
  },
]

/** All connections of the pool wait for a lock of somebody else, and whoever comes then waits for a connection. */
function lockedOut(): Fault {
  let readers: Promise<{ readonly status: number }>[] = []
  return {
    name: 'lets everything wait for a lock of somebody else',
    async break({ ask }, gateway) {
      await ask(LOCK)
      readers = Array.from({ length: READERS }, () => gateway.api.send('GET', 'executions'))
    },
    async mend({ ask }) {
      await ask(CANCEL_ALL)
      const statuses = (await Promise.all(readers)).map((reply) => reply.status)
      expect(new Set(statuses)).toEqual(new Set([503]))
      await ask('commit')
    },
  }
}

describe.skipIf(!findPostgres())('F14 a PostgreSQL that', () => {
  const cleanup = new AsyncDisposableStack()
  let stage: Stage
  let url: string
  /** The same for all: who seals the head of the audit with another secret is not ours. */
  let directory: string

  beforeAll(async () => {
    const cluster = await startCluster()
    cleanup.defer(cluster.close)
    directory = cleanup.use(await newDirectory()).path
    const disk = canMakeDisks ? cleanup.use(await smallFileSystem(DISK_BYTES)) : undefined
    const first = new Client({ connectionString: cluster.url })
    await first.connect()
    await first.query('create role gateway login')
    const { uid, gid } = serverUser()
    if (disk && uid !== undefined) chownSync(disk.path, uid, gid)
    if (disk) await first.query(`create tablespace small location '${disk.path}'`)
    await first.query(`create database kept owner gateway${disk ? ' tablespace small' : ''}`)
    await first.end()
    const admin = new Client({ connectionString: cluster.url.replace(/postgres$/, 'kept') })
    await admin.connect()
    cleanup.defer(() => admin.end())
    const ask = async (...statements: readonly string[]): Promise<void> => {
      for (const statement of statements) await admin.query(statement)
    }
    stage = { disk, ask }
    url = cluster.url.replace('metamcp@', 'gateway@').replace(/postgres$/, 'kept')
  })

  afterAll(() => cleanup.disposeAsync())

  test.for(FAULTS.filter(({ isLeftOut }) => isLeftOut !== true))(
    '$name: changes are refused, calls go on, it says so, and nothing is lost (R179, R180)',
    async (fault) => {
      await using gateway = await startGatewayChild({
        directory,
        file: { servers: { healthy: sick('healthy') } },
        env: { META_MCP_DATABASE_URL: url, META_MCP_SEARCH_EMBEDDER: 'static' },
      })
      await gateway.api.online('healthy')
      const before = Number(await totalOf(gateway, 'executions'))
      let calls = 0
      const call = async (): Promise<void> => {
        const answer = await gateway.api.execute('healthy__echo', { said: `call ${calls}` })
        expect([answer.status, answer.body.result.content]).toMatchObject([200, [{ text: `call ${calls}` }]])
        calls += 1
      }
      await call()
      await fault.break(stage, gateway)
      const made: string[] = []
      const prefix = fault.name.replaceAll(' ', '-')
      const refused = await untilRefused(gateway, made, { prefix, most: 5000 })
      expect(refused).toMatchObject({ status: 503, body: { error: 'unavailable' } })
      expect(refused.text).not.toMatch(/postgres|gateway|role|relation|tablespace|read-only|\/tmp|5\d{4}/i)
      const brokenAt = performance.now()
      for (let n = 0; n < 20; n += 1) await call()
      // On a disk that is full a few more rows may still find room.
      await until('it is not ready', async () => {
        await call()
        return (await readiness(gateway)) === 503
      })
      const turnedMs = Math.round(performance.now() - brokenAt)
      expect((await gateway.api.send('GET', 'health/live')).status).toBe(200)
      await call()
      await fault.mend(stage)
      const mendedAt = performance.now()
      await until('it is ready again', async () => (await readiness(gateway)) === 200)
      const readyMs = Math.round(performance.now() - mendedAt)
      const after = `after-${prefix}`
      expect((await makeNamespace(gateway, after)).status).toBe(201)
      await until('all calls are kept', async () => (await totalOf(gateway, 'executions')) === before + calls)
      expect(await namespaceNames(gateway)).toEqual(expect.arrayContaining([...made, after]))
      expect((await gateway.api.send('POST', 'audit/verify', {})).body).toMatchObject({ ok: true })
      console.log(`F14 ${fault.name}: not ready after ${turnedMs} ms, ready ${readyMs} ms after it was mended`)
    },
  )
})
