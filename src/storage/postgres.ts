import { CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely'
import { Client, type CustomTypesConfig, Pool, types } from 'pg'
import { AppError, messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import {
  CALL_COLUMNS,
  CALL_CONFLICTS,
  type CallRow,
  type CallTable,
  type Database,
  type Engine,
  type Schema,
} from './schema.ts'

type TypeId = Parameters<typeof types.getTypeParser>[0]

const CONNECTIONS_MAX = 10
const CONNECT_TIMEOUT_MS = 5_000
const STATEMENT_TIMEOUT_MS = 30_000
/** Ours, for a server that no longer answers: later than the server's own. */
const QUERY_TIMEOUT_MS = 35_000

/** Connects to the server at `url`. Rejects with `unavailable` and a plain reason, never the password, when it cannot. */
export async function openPostgres(url: string, log: Logger): Promise<Engine> {
  const address = addressOf(url)
  const pool = openPool(url, log)
  const db = new Kysely<Schema>({
    dialect: new PostgresDialect({
      pool,
      // A statement and not a start-up parameter, which PgBouncer refuses.
      onCreateConnection: async (connection) => {
        await connection.executeQuery(CompiledQuery.raw(`set statement_timeout = ${STATEMENT_TIMEOUT_MS}`))
      },
    }),
  })
  try {
    await sql`select 1`.execute(db)
  } catch (thrown) {
    await pool.end()
    throw unreachable(address, thrown)
  }
  return { kind: 'postgres', db, insert, close: () => db.destroy() }
}

function openPool(url: string, log: Logger): Pool {
  const pool = new Pool({
    connectionString: url,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    fallback_application_name: 'metamcp',
    types: int8AsNumber,
  })
  pool.on('error', (error) => log.warn({ reason: messageOf(error) }, 'database connection lost'))
  // The pool listens to idle connections only; one that breaks while it is lent out would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}

/** Counts and epoch milliseconds are safe integers. */
const int8AsNumber: CustomTypesConfig = {
  getTypeParser: ((oid: TypeId, format?: 'text') =>
    oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
}

/** One parameter for any number of rows. */
async function insert(db: Database, table: CallTable, rows: readonly CallRow[]): Promise<number> {
  const columns = sql.join(CALL_COLUMNS[table].map((column) => sql.ref(column)))
  const { numAffectedRows = 0n } = await sql`
    insert into ${sql.table(table)} (${columns})
    select ${columns} from json_populate_recordset(null::${sql.table(table)}, ${JSON.stringify(rows)}::json)
    ${sql.raw(CALL_CONFLICTS[table])}
  `.execute(db)
  return Number(numAffectedRows)
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host cannot be resolved now',
  ECONNRESET: 'the connection was cut',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no way to the host',
  ENOENT: 'there is no such socket',
  '28P01': 'the user or the password is wrong',
  '28000': 'it refuses this user',
  '3D000': 'there is no such database',
  '53300': 'it has no connection left',
  '57P03': 'it is starting or stopping',
}

interface Address {
  readonly host: string
  readonly port: number
  readonly database?: string | undefined
}

/** As the driver reads the URL, its environment and its defaults. */
function addressOf(url: string): Address {
  try {
    return new Client({ connectionString: url })
  } catch (thrown) {
    throw new AppError('unavailable', 'The address of PostgreSQL is not a valid URL', { cause: thrown })
  }
}

function unreachable({ host, port, database }: Address, thrown: unknown): AppError {
  const { code } = thrown as { code?: unknown }
  const reason = (typeof code === 'string' && REASONS[code]) || messageOf(thrown)
  const place = `PostgreSQL at ${host}:${port}, database ${database}`
  return new AppError('unavailable', `${place}, cannot be used: ${reason}`, { cause: thrown })
}
