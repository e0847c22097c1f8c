import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { constants, DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite'

export type Param = string | number | boolean | null
export type Cell = string | number | null

export interface Rows {
  readonly columns: string[]
  readonly rows: Record<string, Cell>[]
  /** There were more rows than asked for. */
  readonly truncated: boolean
}

const SAMPLE = `
  CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT);
  CREATE TABLE orders (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id),
    item TEXT NOT NULL, quantity INTEGER NOT NULL DEFAULT 1, price REAL NOT NULL
  );
  INSERT INTO customers (name, city) VALUES ('Ada', 'London'), ('Grace', 'New York'), ('Linus', 'Helsinki');
  INSERT INTO orders (customer_id, item, quantity, price) VALUES
    (1, 'punched cards', 500, 0.02), (1, 'gear wheel', 12, 4.5), (2, 'wire, 30 cm', 100, 0.1), (3, 'penguin', 1, 25);
`

/** Creates the sample tables where there is no database yet. */
export function createSample(file: string): void {
  mkdirSync(dirname(file), { recursive: true })
  using db = open(file)
  const known = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()
  if (known?.['n'] === 0) db.exec(SAMPLE)
}

export function listTables(file: string): { name: string; rows: number }[] {
  using db = open(file, true)
  return tableNames(db).map((name) => {
    const counted = db.prepare(`SELECT count(*) AS n FROM "${name.replaceAll('"', '""')}"`).get()
    return { name, rows: Number(counted?.['n']) }
  })
}

export function describeTable(file: string, table: string): Record<string, Cell>[] {
  using db = open(file, true)
  if (!tableNames(db).includes(table)) throw new Error(`there is no table "${table}"`)
  const columns = db.prepare('SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?)')
  return columns.all(table).map(plainRow)
}

/** Runs one statement on a connection that cannot write, whatever the statement says. */
export function query(file: string, sql: string, params: readonly Param[], rowsMax: number): Rows {
  using db = open(file, true)
  const statement = db.prepare(sql)
  statement.setReadBigInts(true)
  const rows: Record<string, Cell>[] = []
  for (const row of statement.iterate(...params.map(bindable))) {
    if (rows.length === rowsMax) return { columns: columnsOf(statement), rows, truncated: true }
    rows.push(plainRow(row))
  }
  return { columns: columnsOf(statement), rows, truncated: false }
}

export function execute(file: string, sql: string, params: readonly Param[]): { changes: number; last_id: number } {
  using db = open(file)
  const { changes, lastInsertRowid } = db.prepare(sql).run(...params.map(bindable))
  return { changes: Number(changes), last_id: Number(lastInsertRowid) }
}

function open(file: string, readOnly = false): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly, timeout: 5_000 })
  // One file is what the operator gave us: a statement may not attach another one.
  db.setAuthorizer((action) =>
    action === constants.SQLITE_ATTACH || action === constants.SQLITE_DETACH
      ? constants.SQLITE_DENY
      : constants.SQLITE_OK,
  )
  return db
}

function tableNames(db: DatabaseSync): string[] {
  const sql =
    "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name"
  return db
    .prepare(sql)
    .all()
    .map((row) => String(row['name']))
}

function columnsOf(statement: ReturnType<DatabaseSync['prepare']>): string[] {
  return statement.columns().map((column) => column.name)
}

function bindable(param: Param): SQLInputValue {
  return typeof param === 'boolean' ? Number(param) : param
}

function plainRow(row: Record<string, SQLOutputValue>): Record<string, Cell> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]))
}

/** JSON has no 64-bit integers and no bytes: the first become text when they are too large, the second base64. */
function plain(value: SQLOutputValue): Cell {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}
