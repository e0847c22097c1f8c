import type { Selectable } from 'kysely'
import type { Execution, ExecutionFilter, ExecutionStore } from '#gateway/executions'
import { executionStats } from './execution-stats.ts'
import { pruneHistory } from './prune.ts'
import { readBody } from './row-body.ts'
import type { Database, Engine, ExecutionTable } from './schema.ts'
import { textKey } from './text-key.ts'

/** The history of calls. */
export function createExecutionStore(engine: Engine): ExecutionStore {
  const { db } = engine
  return {
    async append(executions) {
      if (executions.length === 0) return
      await db.transaction().execute((transaction) => engine.insert(transaction, 'executions', executions.map(rowOf)))
    },
    async list(filter) {
      const [rows, total] = await Promise.all([page(db, filter), count(db, filter)])
      return { executions: rows.map(readExecution), total }
    },
    async get(id) {
      const row = await db.selectFrom('executions').selectAll().where('id', '=', textKey(id)).executeTakeFirst()
      return row && readExecution(row)
    },
    stats: (name) => executionStats(db, textKey(name)),
    prune: (before) => pruneHistory(db, 'executions', before),
  }
}

function readExecution({ body, ...columns }: Selectable<ExecutionTable>): Execution {
  const { id, name, server, principal, outcome, started_at: startedAt, duration_ms: durationMs } = columns
  const rest = readBody('executions', body) as object
  return { id, name, server, principal, outcome, startedAt, durationMs, ...rest } as Execution
}

const KEYS_MAX = 2000
const keys = new Map<string, string>()

/** Few names make most rows. */
function keyOf(text: string): string {
  const known = keys.get(text)
  if (known !== undefined) return known
  if (keys.size >= KEYS_MAX) keys.clear()
  const key = textKey(text)
  keys.set(text, key)
  return key
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
  row.body = JSON.stringify(isLossless ? bodyOf(execution) : execution)
  return row
}

type BodyMember = Exclude<
  keyof Execution,
  'id' | 'name' | 'server' | 'principal' | 'outcome' | 'startedAt' | 'durationMs'
>

/** Named one by one: to leave members out by a rest pattern takes four times as long. */
function bodyOf(execution: Execution): Record<BodyMember, unknown> {
  const { traceId, kind, surface, namespace, isError, errorCode, errorMessage } = execution
  const { requestBytes, resultBytes, attempts, fallback, cached, stages } = execution
  const failure = { isError, errorCode, errorMessage }
  const way = { attempts, fallback, cached, stages }
  return { traceId, kind, surface, namespace, ...failure, requestBytes, resultBytes, ...way }
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
