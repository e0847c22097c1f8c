import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { DatabaseConfig, Secret } from '#config/config'
import type { Logger } from '#kernel/logger'
import { createVault, type Vault } from '#kernel/vault'
import { openStorage, type Storage } from '#storage/open-storage'
import { administer, hasPostgres, type TestDatabase, testPostgres } from './postgres.ts'

const quiet: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** An empty database, removed at the end. */
interface DatabasePlace extends AsyncDisposable {
  readonly database: DatabaseConfig
}

/** One of the databases on which the storage keeps the same promises. */
export interface StorageEngine {
  readonly name: string
  readonly available: boolean
  place(): Promise<DatabasePlace>
}

/** Those whose data is still there when they are opened again. */
export const durableEngines: readonly StorageEngine[] = [
  { name: 'SQLite in a file', available: true, place: sqlitePlace },
  { name: 'PostgreSQL', available: hasPostgres(), place: postgresPlace },
]

export const storageEngines: readonly StorageEngine[] = [
  { name: 'SQLite in memory', available: true, place: memoryPlace },
  ...durableEngines,
]

const KEY = Buffer.from('only-for-tests-0123456789-abcdefghijklmnop')

/** Opens with a logger that says nothing, and with secrets sealed as in a gateway. */
export function openQuietly(database: DatabaseConfig, vault: Vault = createVault([KEY])): Promise<Storage> {
  return openStorage(database, { log: quiet, now: () => 0, vault })
}

/** A storage on an empty database of its own. */
export async function freshStorage(engine: StorageEngine): Promise<Storage> {
  const place = await engine.place()
  const storage = await openQuietly(place.database)
  const dispose = async () => {
    await storage[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  }
  return { ...storage, [Symbol.asyncDispose]: dispose }
}

async function memoryPlace(): Promise<DatabasePlace> {
  return { database: { kind: 'sqlite', path: ':memory:' }, [Symbol.asyncDispose]: async () => {} }
}

async function sqlitePlace(): Promise<DatabasePlace> {
  const directory = mkdtempSync(join(tmpdir(), 'metamcp-storage-'))
  return {
    database: { kind: 'sqlite', path: join(directory, 'data', 'metamcp.db') },
    [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true, force: true }),
  }
}

let ofThisFile: Promise<TestDatabase | undefined> | undefined
afterAll(async () => (await ofThisFile)?.close())

/** A schema of its own in one database per test file: making a database takes a third of a second. */
async function postgresPlace(): Promise<DatabasePlace> {
  ofThisFile ??= testPostgres()
  const database = await ofThisFile
  if (!database) throw new Error('PostgreSQL is not installed')
  const schema = `s${randomBytes(6).toString('hex')}`
  await administer(database.url, `create schema ${schema}`)
  return {
    database: postgresConfig(`${database.url}?options=-csearch_path%3D${schema}`),
    [Symbol.asyncDispose]: () => administer(database.url, `drop schema if exists ${schema} cascade`),
  }
}

/** The configuration that names the server at `url`. */
export function postgresConfig(url: string): Extract<DatabaseConfig, { kind: 'postgres' }> {
  const secret: Secret = { reveal: () => url, toString: () => '[secret]', toJSON: () => '[secret]' }
  return { kind: 'postgres', url: secret }
}
