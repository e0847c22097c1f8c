import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { Client } from 'pg'
import { findPostgres, startCluster } from './postgres-cluster.ts'

/** A fresh, empty database on a real PostgreSQL. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string
  /** Ends all connections and drops the database. */
  close(): Promise<void>
}

/** Whether `testPostgres` can answer one; for `describe.skipIf`. */
export function hasPostgres(): boolean {
  return process.env['META_MCP_TEST_DATABASE_URL'] !== undefined || findPostgres() !== undefined
}

/**
 * A database of its own on the server at META_MCP_TEST_DATABASE_URL, else on the cluster that this vitest run shares,
 * else, outside vitest, on a cluster of its own. Undefined where there is no PostgreSQL.
 */
export async function testPostgres(): Promise<TestDatabase | undefined> {
  if (!hasPostgres()) return undefined
  const given = process.env['META_MCP_TEST_DATABASE_URL'] ?? (await sharedUrl())
  if (given !== undefined) return createDatabase(given)
  const cluster = await startCluster()
  return createDatabase(cluster.url, () => cluster.close())
}

/** Where `global-setup.ts` starts a cluster when the first test asks for it. */
async function sharedUrl(): Promise<string | undefined> {
  const port = Number(process.env['META_MCP_TEST_POSTGRES_PORT'])
  if (!port) return undefined
  const socket = connect({ host: '127.0.0.1', port })
  await once(socket, 'connect')
  const answer = JSON.parse(await text(socket)) as { url?: string; error?: string }
  if (answer.url === undefined) throw new Error(answer.error)
  return answer.url
}

async function createDatabase(serverUrl: string, afterwards?: () => Promise<void>): Promise<TestDatabase> {
  const name = `metamcp_test_${randomBytes(6).toString('hex')}`
  await administer(serverUrl, `create database ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  const close = async () => {
    await administer(serverUrl, `drop database if exists ${name} with (force)`)
    await afterwards?.()
  }
  return { url: url.href, close, [Symbol.asyncDispose]: close }
}

/** Runs one statement on the server at `url`. */
export async function administer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
