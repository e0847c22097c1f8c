import type { Selectable } from 'kysely'
import type { Execution, ExecutionFilter, ExecutionStore } from '#gateway/executions'
import { executionStats, pruneStats, statsRows } from './execution-stats.ts'
import { addPayloads, payloadsOf } from './payload-table.ts'
import { pruneHistory } from './prune.ts'
import { readBody } from './row-body.ts'
import type { Database, Engine, ExecutionTable } from './schema.ts'
import { keyOf, textKey } from './text-key.ts'

/** The history of calls. */
export function createExecutionStore(engine: Engine): ExecutionStore {
  const { db } = engine
  return {
    async append(executions) {
      let fresh = executions
      // Each round leaves out what is there already, so that there are fewer each time.
      while (fresh.length > 0 && !(await added(engine, fresh))) fresh = await unknown(db, fresh)
    },
    async list(filter) {
      const [rows, total] = await Promise.all([page(db, filter), count(db, filter)])
      return { executions: rows.map(readExecution), total }
    },
    async get(id) {
      const row = await db.selectFrom('executions').selectAll().where('id', '=', textKey(id)).executeTakeFirst()
      if (!row) return undefined
      const payloads = await payloadsOf(db, id)
      return payloads ? { ...readExecution(row), payloads } : readExecution(row)
    },
    stats: (filter) => executionStats(db, filter),
    async prune(before, signal) {
      await pruneHistory(db, 'execution_payloads', { before, signal })
      return pruneHistory(db, 'executions', { before, signal })
    },
    pruneStats: (before) => pruneStats(db, before),
  }
}

/** Adds all of them and counts them, or, when one is there already, does neither: it would count twice. */
async function added(engine: Engine, executions: readonly Execution[]): Promise<boolean> {
  const transaction = await engine.db.startTransaction().execute()
  try {
    const isNew = (await engine.insert(transaction, 'executions', executions.map(rowOf))) === executions.length
    if (isNew) {
      await engine.insert(transaction, 'execution_stats', statsRows(executions))
      await addPayloads(engine, transaction, executions)
    }
    await (isNew ? transaction.commit() : transaction.rollback()).execute()
    return isNew
  } catch (thrown) {
    await transaction.rollback().execute()
    throw thrown
  }
}

/** Those of a batch that are not there yet, each once: of one whose answer was lost a part may be. */
async function unknown(db: Database, executions: readonly Execution[]): Promise<Execution[]> {
  const each = new Map(executions.map((execution) => [textKey(execution.id), execution]))
  const kept = await db
    .selectFrom('executions')
    .select('id')
    .where('id', 'in', [...each.keys()])
    .execute()
  for (const { id } of kept) each.delete(id)
  return [...each.values()]
}

/** A call as it was appended. */
export function readExecution({ body, ...columns }: Selectable<ExecutionTable>): Execution {
  const { id, name, server, principal, outcome, started_at: startedAt, duration_ms: durationMs } = columns
  const rest = membersOf(readBody('executions', body))
  return { id, name, server, principal, outcome, startedAt, durationMs, ...rest } as Execution
}

/** The body has what the columns do not: a row is written for every call, and bytes are what it costs. */
function rowOf(execution: Execution): ExecutionTable {
  const { id, name, server, principal, outcome, startedAt, durationMs } = execution
  const row: ExecutionTable = {
    id: textKey(id),
    name: keyOf(name),
    server: keyOf(server),
    principal: keyOf(principal),
    outcome,
    started_at: Math.floor(startedAt),
    duration_ms: durationMs,
    body: '',
  }
  const isLossless =
    row.id === id &&
    row.name === name &&
    row.server === server &&
    row.principal === principal &&
    row.started_at === startedAt
  row.body = JSON.stringify(isLossless ? bodyOf(execution) : { ...execution, payloads: undefined })
  return row
}

type InColumns = 'id' | 'name' | 'server' | 'principal' | 'outcome' | 'startedAt' | 'durationMs' | 'payloads'
type InPlace = 'traceId' | 'kind' | 'surface' | 'isError' | 'requestBytes' | 'resultBytes' | 'stages'
type Named = Record<Exclude<keyof Execution, InColumns | InPlace>, unknown>

/** What every call has by its place, and by its name what few have: to name all would make rows a third longer. */
function bodyOf(execution: Execution): readonly unknown[] {
  const { traceId, kind, surface, isError, requestBytes, resultBytes, stages } = execution
  const { namespace, errorCode, errorMessage, attempts, fallback, cached } = execution
  const named: Named = { namespace, errorCode, errorMessage, attempts, fallback, cached }
  return [traceId, kind, surface, isError, requestBytes, resultBytes, stages, named]
}

/** Rows of before, and those whose columns hold hashes, name all. */
function membersOf(body: unknown): object {
  if (!Array.isArray(body)) return body as object
  const [traceId, kind, surface, isError, requestBytes, resultBytes, stages, named] = body as readonly unknown[]
  return { traceId, kind, surface, isError, requestBytes, resultBytes, stages, ...(named as Named) }
}

function page(db: Database, filter: ExecutionFilter) {
  return matching(db, filter).selectAll().orderBy('id', 'desc').limit(filter.limit).offset(filter.offset).execute()
}

async function count(db: Database, filter: ExecutionFilter): Promise<number> {
  const { total } = await matching(db, filter)
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return total
}

function matching(db: Database, filter: ExecutionFilter) {
  let query = db.selectFrom('executions')
  for (const column of ['name', 'server', 'principal'] as const) {
    const text = filter[column]
    if (text !== undefined) query = query.where(column, '=', textKey(text))
  }
  if (filter.outcome !== undefined) query = query.where('outcome', '=', filter.outcome)
  if (filter.from !== undefined) query = query.where('started_at', '>=', Math.ceil(filter.from))
  if (filter.to !== undefined) query = query.where('started_at', '<', Math.ceil(filter.to))
  return query
}
