import { hasPostgres, testPostgres } from './postgres.ts'

/** Settings that lead a gateway to an empty database; it is removed at the end. */
interface ChildPlace extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>
}

/** The databases that a gateway process keeps its data in. SQLite lies in its data directory. */
export const childEngines: readonly (readonly [name: string, available: boolean, open: () => Promise<ChildPlace>])[] = [
  ['SQLite', true, () => Promise.resolve({ env: {}, [Symbol.asyncDispose]: () => Promise.resolve() })],
  ['PostgreSQL', hasPostgres(), postgresPlace],
]

async function postgresPlace(): Promise<ChildPlace> {
  const database = await testPostgres()
  if (!database) throw new Error('no PostgreSQL')
  return { env: { META_MCP_DATABASE_URL: database.url }, [Symbol.asyncDispose]: () => database.close() }
}
