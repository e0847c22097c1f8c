import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import type { DatabaseConfig } from '#config/config'
import { durableEngines, freshStorage, openQuietly, storageEngines } from '../../test/support/storage-engines.ts'
import {
  execution,
  searchRecord,
  upstreamRecord,
  upstreamSnapshot,
  userRecord,
} from '../../test/support/storage-samples.ts'
import type { Storage } from './open-storage.ts'

async function sqlitePlace() {
  const place = await durableEngines[0]?.place()
  if (place?.database.kind !== 'sqlite') throw new Error('the first durable engine is SQLite')
  const { path } = place.database
  return { ...place, path, directory: dirname(path) }
}

const REMOVE_IDENTITY = `
  drop table api_keys; drop table refresh_families; drop table revocations; drop table logins; drop table users;
  drop table if exists roles; drop table execution_stats; drop table execution_payloads; drop table audit_blocks; drop table audit_heads; drop table deployment; drop table oauth_records;
  create index executions_by_name on executions (name, started_at);
  delete from metamcp_migrations where name > '0003'`

/** As an operator's shell would, beside the gateway. */
function runSql(path: string, statement: string): void {
  const database = new DatabaseSync(path)
  database.exec(statement)
  database.close()
}

async function fill(storage: Storage) {
  const content = {
    record: upstreamRecord({ name: 'files' }),
    snapshot: upstreamSnapshot(),
    name: { kind: 'tool', upstreamId: 'u', originalName: 'read', exposedName: 'files__read' } as const,
    call: execution(),
    search: searchRecord(),
    user: userRecord(),
  }
  await storage.registry.upstreams.insert(content.record)
  await storage.registry.snapshots.put(content.snapshot)
  await storage.registry.names.put([content.name])
  await storage.executions.append([content.call])
  await storage.search.searches.append([content.search])
  await storage.identity.users.insert(content.user)
  return content
}

async function contentOf(storage: Storage) {
  const [record] = await storage.registry.upstreams.list()
  const [snapshot] = await storage.registry.snapshots.list()
  const [name] = await storage.registry.names.list()
  const { executions } = await storage.executions.list({ limit: 1, offset: 0 })
  const { searches } = await storage.search.searches.list({ limit: 1, offset: 0 })
  const { users } = await storage.identity.users.list({ limit: 1, offset: 0 })
  return { record, snapshot, name, call: executions[0], search: searches[0], user: users[0] }
}

interface Holder extends Disposable {
  readonly process: ChildProcess
  /** What it said of its attempt to open: `open` or the message of the refusal. */
  readonly outcome: string
}

/** A gateway in miniature: another process that opens the storage, writes a record and stays until it is killed. */
async function holdInOtherProcess(database: DatabaseConfig): Promise<Holder> {
  const url = database.kind === 'postgres' ? database.url.reveal() : ''
  const program = `
    import { openStorage } from './src/storage/open-storage.ts'
    import { upstreamRecord } from './test/support/storage-samples.ts'
    const log = { debug() {}, info() {}, warn() {}, error() {} }
    const database = { ...${JSON.stringify(database)}, url: { reveal: () => ${JSON.stringify(url)} } }
    try {
      const storage = await openStorage(database, { log, now: Date.now })
      await storage.registry.upstreams.insert(upstreamRecord({ name: 'written' }))
      console.log('open')
      setInterval(() => {}, 1_000_000)
    } catch (error) { console.log(error.code, error.message) }
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close').then(([code]) => [`ended with ${code}`] as const)
  const [outcome] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended])) as [string]
  return { process: child, outcome, [Symbol.dispose]: () => child.kill('SIGKILL') }
}

async function kill(holder: Holder): Promise<void> {
  const exit = once(holder.process, 'exit')
  holder.process.kill('SIGKILL')
  await exit
}

for (const engine of storageEngines) {
  describe.skipIf(!engine.available)(`storage on ${engine.name}`, () => {
    test('answers while it is open and is unavailable afterwards, without the words of the driver', async () => {
      const storage = await freshStorage(engine)
      await storage.check()
      await storage[Symbol.asyncDispose]()
      const { registry, executions, search, identity } = storage
      const calls = [
        storage.check(),
        registry.upstreams.list(),
        registry.upstreams.insert(upstreamRecord()),
        registry.snapshots.list(),
        registry.names.list(),
        executions.append([execution()]),
        executions.stats({ tool: 'x' }),
        search.searches.append([searchRecord()]),
        search.searches.missed(1),
        search.vectors.find('m', ['h'], 0),
        search.lessons.list(),
        identity.users.find('u'),
        identity.users.update('u', (user) => user),
        identity.logins.list('u', { limit: 1, offset: 0 }),
        identity.families.find('f'),
        identity.revocations.has(['t']),
        identity.apiKeys.findByHash('h'),
      ]
      for (const result of await Promise.allSettled(calls)) {
        expect(result).toMatchObject({ reason: { code: 'unavailable', message: 'The storage does not answer' } })
        expect(result).toHaveProperty('reason.cause')
      }
    })

    test('can be closed twice', async () => {
      await using storage = await freshStorage(engine)
      await storage[Symbol.asyncDispose]()
    })
  })
}

for (const engine of durableEngines) {
  describe.skipIf(!engine.available)(`durability on ${engine.name}`, () => {
    test('R074 a restart finds everything', async () => {
      await using place = await engine.place()
      const first = await openQuietly(place.database)
      const content = await fill(first)
      await first[Symbol.asyncDispose]()
      await using second = await openQuietly(place.database)
      expect(await contentOf(second)).toEqual(content)
    })

    test('what was written is there after kill -9, and the database opens at once', async () => {
      await using place = await engine.place()
      using holder = await holdInOtherProcess(place.database)
      expect(holder.outcome).toBe('open')
      await kill(holder)
      await using storage = await openQuietly(place.database)
      expect(await storage.registry.upstreams.list()).toMatchObject([{ name: 'written' }])
    })
  })
}

describe('the SQLite directory', () => {
  test('a second process is refused with the pid of the first', async () => {
    await using here = await sqlitePlace()
    using holder = await holdInOtherProcess(here.database)
    await expect(openQuietly(here.database)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(
        `The data directory ${here.directory} is in use by process ${holder.process.pid};`,
      ),
      details: { pid: holder.process.pid },
    })
  })

  test('a second opening in the same process is refused too', async () => {
    await using here = await sqlitePlace()
    await using storage = await openQuietly(here.database)
    await expect(openQuietly(here.database)).rejects.toMatchObject({ code: 'conflict', details: { pid: process.pid } })
    await storage.check()
    using other = await holdInOtherProcess(here.database)
    expect(other.outcome).toContain(`in use by process ${process.pid}`)
  })

  test('of many processes that start at once exactly one gets it, also over the remains of a killed one', async () => {
    await using here = await sqlitePlace()
    using killed = await holdInOtherProcess(here.database)
    await kill(killed)
    runSql(here.path, 'delete from upstreams')
    using holders = new DisposableStack()
    const starts = await Promise.all(Array.from({ length: 5 }, () => holdInOtherProcess(here.database)))
    for (const holder of starts) holders.use(holder)
    const outcomes = starts.map(({ outcome }) => outcome)
    expect(outcomes.filter((outcome) => outcome === 'open')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome.startsWith('conflict The data directory'))).toHaveLength(4)
  })

  test('a pid file of a dead or foreign process locks nobody out', async () => {
    await using here = await sqlitePlace()
    await (await openQuietly(here.database))[Symbol.asyncDispose]()
    writeFileSync(`${here.path}.pid`, `${process.pid}\n`)
    await using storage = await openQuietly(here.database)
    await storage.check()
  })

  test('is readable by its owner alone', async () => {
    await using here = await sqlitePlace()
    await using storage = await openQuietly(here.database)
    await fill(storage)
    expect(statSync(here.directory).mode & 0o777).toBe(0o700)
    for (const suffix of ['', '-wal', '-shm', '.lock', '.pid']) {
      expect(statSync(here.path + suffix).mode & 0o777, suffix).toBe(0o600)
    }
  })

  test('a file that is no database is refused and left as it is', async () => {
    await using here = await sqlitePlace()
    await (await openQuietly(here.database))[Symbol.asyncDispose]()
    writeFileSync(here.path, 'my diary '.repeat(1_000))
    await expect(openQuietly(here.database)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(`The database ${here.path} cannot be opened`) as string,
    })
    expect(readFileSync(here.path, 'utf8')).toBe('my diary '.repeat(1_000))
    expect(existsSync(`${here.path}.pid`)).toBe(false)
  })

  test('a database of a newer MetaMCP is refused and left as it is', async () => {
    await using here = await sqlitePlace()
    await (await openQuietly(here.database))[Symbol.asyncDispose]()
    runSql(here.path, `insert into metamcp_migrations values ('9999_flying', '2030-01-01T00:00:00Z')`)
    await expect(openQuietly(here.database)).rejects.toMatchObject({
      code: 'unavailable',
      message: 'The database was written by a newer MetaMCP (it has 9999_flying)',
    })
  })

  test('a database of the version before there were users is brought up to date and loses nothing', async () => {
    await using here = await sqlitePlace()
    const first = await openQuietly(here.database)
    const { user, ...before } = await fill(first)
    await first[Symbol.asyncDispose]()
    runSql(here.path, REMOVE_IDENTITY)
    await using second = await openQuietly(here.database)
    expect(await contentOf(second)).toEqual({ ...before, user: undefined })
    // What it kept counts in the statistics that it did not have.
    expect(await second.executions.stats({ tool: before.call.name })).toMatchObject({ calls: 1, p99Ms: 1.5 })
    await second.identity.users.insert(user)
    expect(await contentOf(second)).toEqual({ ...before, user })
  })

  test('a database of the version before searches were kept is brought up to date and loses nothing', async () => {
    await using here = await sqlitePlace()
    const first = await openQuietly(here.database)
    const { search, user: _, ...before } = await fill(first)
    await first[Symbol.asyncDispose]()
    runSql(
      here.path,
      `${REMOVE_IDENTITY};
        drop table searches; drop table search_vectors; drop table search_lessons;
        delete from metamcp_migrations where name > '0002'`,
    )
    await using second = await openQuietly(here.database)
    expect(await contentOf(second)).toEqual({ ...before, search: undefined, user: undefined })
    await second.search.searches.append([search])
    expect(await contentOf(second)).toEqual({ ...before, search, user: undefined })
  })

  test('a damaged row is named, not passed over', async () => {
    await using here = await sqlitePlace()
    await using storage = await openQuietly(here.database)
    await fill(storage)
    runSql(here.path, `update upstreams set body = '{"half'`)
    await expect(storage.registry.upstreams.list()).rejects.toMatchObject({
      code: 'internal_error',
      message: 'The table upstreams of the database holds a damaged row',
    })
  })

  test('a directory that cannot be made is a plain refusal', async () => {
    await using here = await sqlitePlace()
    await using storage = await openQuietly(here.database)
    await storage.check()
    const path = `${here.path}/inside/a-file.db`
    await expect(openQuietly({ kind: 'sqlite', path })).rejects.toMatchObject({ code: 'unavailable' })
  })
})
