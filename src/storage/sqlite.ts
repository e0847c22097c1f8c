import { resolve } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { Kysely, SqliteAdapter, type SqliteDatabase, SqliteDialect } from 'kysely'
import { AppError, messageOf } from '#kernel/errors'
import { createRecentMap } from '#kernel/recent-map'
import { createPrivateFile } from './private-file.ts'
import { CALL_COLUMNS, CALL_CONFLICTS, type CallTable, type Engine, type Schema } from './schema.ts'
import { lockDatabase } from './sqlite-lock.ts'

/** For an operator's shell or backup on the same file; waiting holds the event loop. */
const BUSY_TIMEOUT_MS = 2_000

/**
 * Pages of 8 kB, in files that are new, cost a sixth less for each byte than those of 4. A checkpoint flushes to the disk on the
 * thread that serves calls: every 16 MB instead of every 4.
 */
const PRAGMAS = `
  pragma page_size = 8192;
  pragma journal_mode = wal;
  pragma synchronous = normal;
  pragma wal_autocheckpoint = 2000;
  pragma journal_size_limit = 67108864;
`

/**
 * Opens or makes the file, private to this user and locked against other processes; `:memory:` for none.
 * Rejects with `conflict` when another process has it, `unavailable` when it cannot be opened.
 */
export function openSqlite(path: string): Engine {
  if (path === ':memory:') return createEngine(openDatabase(path))
  const file = resolve(path)
  try {
    return openFile(file)
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown
    throw new AppError('unavailable', `The database ${file} cannot be opened: ${messageOf(thrown)}`, { cause: thrown })
  }
}

function openFile(file: string): Engine {
  const lock = lockDatabase(file)
  try {
    createPrivateFile(file)
    return createEngine(openDatabase(file), lock)
  } catch (thrown) {
    lock[Symbol.dispose]()
    throw thrown
  }
}

function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
  try {
    database.exec(PRAGMAS)
    return database
  } catch (thrown) {
    database.close()
    throw thrown
  }
}

function createEngine(database: DatabaseSync, lock?: Disposable): Engine {
  const db = new Kysely<Schema>({ dialect: new NodeSqliteDialect({ database: kyselyDatabase(database) }) })
  const insertions = new Map<CallTable, Insertions>()
  return {
    kind: 'sqlite',
    db,
    // On kysely's only connection, past kysely: the caller's transaction is the one that is open.
    insert: async (_transaction, table, rows) => {
      const known = insertions.get(table) ?? [
        database.prepare(insertText(table, 1)),
        database.prepare(insertText(table, ROWS_TOGETHER)),
      ]
      insertions.set(table, known)
      return insertAll(known, CALL_COLUMNS[table], rows)
    },
    compact: () =>
      db.connection().execute(async () => {
        database.exec('vacuum; pragma wal_checkpoint(truncate)')
      }),
    async close() {
      await db.destroy()
      if (database.isOpen) database.close()
      lock?.[Symbol.dispose]()
    },
  }
}

/** A statement costs as much as a row: this many rows share one. */
const ROWS_TOGETHER = 100

function insertText(table: CallTable, rows: number): string {
  const columns = CALL_COLUMNS[table]
  const row = `(${columns.map(() => '?').join(', ')})`
  const values = Array.from({ length: rows }, () => row).join(', ')
  return `insert into ${table} (${columns.join(', ')}) values ${values} ${CALL_CONFLICTS[table]}`
}

type Insertions = readonly [one: StatementSync, many: StatementSync]

type SqliteRow = Readonly<Record<string, SQLInputValue>>

/** The rows' columns, flat, as the statement has its places. */
function valuesOf(columns: readonly string[], rows: readonly SqliteRow[]): SQLInputValue[] {
  const values: SQLInputValue[] = []
  for (const row of rows) for (const column of columns) values.push(row[column] ?? null)
  return values
}

function insertAll([one, many]: Insertions, columns: readonly string[], rows: readonly SqliteRow[]): number {
  let written = 0
  const together = rows.length - (rows.length % ROWS_TOGETHER)
  for (let from = 0; from < together; from += ROWS_TOGETHER)
    written += Number(many.run(...valuesOf(columns, rows.slice(from, from + ROWS_TOGETHER))).changes)
  for (const row of rows.slice(together)) written += Number(one.run(...valuesOf(columns, [row])).changes)
  return written
}

/** kysely runs migrations outside a transaction on SQLite, though SQLite can: half a migration would stay after a kill. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class NodeSqliteDialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new TransactionalSqliteAdapter()
  }
}

/** To compile a statement costs more than to run it. */
const STATEMENTS_MAX = 500

type SqliteStatement = ReturnType<SqliteDatabase['prepare']>

/** kysely's driver asks each statement whether it answers rows. */
function kyselyDatabase(database: DatabaseSync): SqliteDatabase {
  const known = createRecentMap<SqliteStatement>(STATEMENTS_MAX)
  return {
    close: () => database.close(),
    prepare(sql) {
      const cached = known.get(sql)
      if (cached) return cached
      const statement = kyselyStatement(database, sql)
      known.set(sql, statement)
      return statement
    },
  }
}

function kyselyStatement(database: DatabaseSync, sql: string): SqliteStatement {
  const statement = database.prepare(sql)
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
    run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
    // Whoever reads row by row has one of his own: another run would begin his anew.
    iterate: (parameters) => database.prepare(sql).iterate(...(parameters as SQLInputValue[])),
  }
}
