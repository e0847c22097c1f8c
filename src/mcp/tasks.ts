import type { Caller, CallResult } from '#gateway/call'
import { Cancellation, type CancelSignal } from '#kernel/cancellation'
import { AppError } from '#kernel/errors'
import { objectAt, stringAt, type JsonObject } from '#kernel/json'
import { editObject, elementsOf, memberText } from '#kernel/json-text'
import { notificationText, type RpcRequest } from '#kernel/rpc-message'
import type { LegacySession } from './legacy-session.ts'

export const TASK_METHODS: ReadonlySet<string> = new Set(['tasks/get', 'tasks/result', 'tasks/cancel', 'tasks/list'])
const TASKS_MAX = 1000
const PAGES_MAX = 100
/** News of a task may be here before the answer that names the task. */
const UNCLAIMED_MAX = 100
const ANSWER_MS_MAX = 30_000
/** `tasks/result` waits for the end of the task: then the client asks again. */
const RESULT_MS_MAX = 10 * 60_000

/** A request about tasks, for the upstream session that made them. */
interface TaskRequest {
  readonly method: string
  params(requestId: number): string
  readonly caller: Caller
  readonly signal: CancelSignal
}

export interface TaskDeps {
  task(upstreamId: string, request: TaskRequest): Promise<{ readonly text: string; readonly value: JsonObject }>
}

/** One request about tasks, and who asks. */
interface TaskQuestion {
  readonly request: RpcRequest
  readonly session: LegacySession
  readonly caller: Caller
  readonly signal: CancelSignal
}

/** Tasks of 2025-11-25 (basic/utilities/tasks): only the downstream session that made one ever hears of it. */
export interface Tasks {
  /** Remembers the task that a result tells of, if it does. */
  created(session: LegacySession, upstreamId: string | undefined, result: CallResult): void
  /** Rejects with AppError. */
  answer(question: TaskQuestion): Promise<string>
  /** An upstream tells how a task stands. */
  changed(upstreamId: string, paramsText: string): void
}

export function isTaskMethod(method: string): boolean {
  return TASK_METHODS.has(method)
}

export function createTasks(deps: TaskDeps, sessions: () => Iterable<LegacySession>): Tasks {
  const unclaimed: { readonly owner: string; readonly taskId: string; readonly text: string }[] = []
  return {
    created(session, upstreamId, { value }) {
      const taskId = stringAt(objectAt(value, 'task'), 'taskId')
      if (taskId === undefined || upstreamId === undefined) return
      if ((session.tasks.get(taskId) ?? upstreamId) !== upstreamId)
        throw new AppError('conflict', `Two servers gave tasks the same id: ${taskId}`)
      session.tasks.set(taskId, upstreamId)
      if (session.tasks.size > TASKS_MAX) forgetOldest(session)
      for (const early of unclaimed.filter((each) => each.owner === upstreamId && each.taskId === taskId)) {
        unclaimed.splice(unclaimed.indexOf(early), 1)
        session.push(early.text)
      }
    },
    answer: (question) =>
      withLimit(question, (limited) => (isList(limited) ? listOf(deps, limited) : one(deps, limited))),
    changed(upstreamId, paramsText) {
      const taskId = stringAt(JSON.parse(paramsText) as JsonObject, 'taskId')
      if (taskId === undefined) return
      const text = notificationText('notifications/tasks/status', paramsText)
      for (const session of sessions()) if (session.tasks.get(taskId) === upstreamId) return session.push(text)
      unclaimed.push({ owner: upstreamId, taskId, text })
      if (unclaimed.length > UNCLAIMED_MAX) unclaimed.shift()
    },
  }
}

function forgetOldest({ tasks }: LegacySession): void {
  const [oldest] = tasks.entries()
  if (oldest) tasks.delete(oldest[0])
}

function isList({ request }: TaskQuestion): boolean {
  return request.method === 'tasks/list'
}

async function one(deps: TaskDeps, { request, session, caller, signal }: TaskQuestion): Promise<string> {
  const { method, params, paramsText } = request
  const taskId = stringAt(params, 'taskId')
  const upstreamId = session.tasks.get(taskId ?? '')
  if (upstreamId === undefined) throw new AppError('validation_error', 'Task not found', { details: { taskId } })
  const token = (requestId: number): string =>
    editObject(memberText(paramsText, '_meta') ?? '{}', { progressToken: String(requestId) })
  const { text } = await deps.task(upstreamId, {
    method,
    params: (requestId) =>
      caller.progressTokenText === undefined ? paramsText : editObject(paramsText, { _meta: token(requestId) }),
    caller,
    signal,
  })
  return text
}

/** All tasks of this session at once: an upstream session may hold those of other clients, too. */
async function listOf(deps: TaskDeps, question: TaskQuestion): Promise<string> {
  if (question.request.params['cursor'] !== undefined) throw new AppError('validation_error', 'Unknown cursor')
  const owners = [...new Set(question.session.tasks.entries().map(([, upstreamId]) => upstreamId))]
  const lists = await Promise.all(owners.map((upstreamId) => drain(deps, question, upstreamId)))
  return `{"tasks":[${lists.flat().join(',')}]}`
}

async function drain(deps: TaskDeps, question: TaskQuestion, upstreamId: string): Promise<string[]> {
  const { session, caller, signal } = question
  const found: string[] = []
  let cursor: string | undefined
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const params = JSON.stringify(cursor === undefined ? {} : { cursor })
    const { text, value } = await deps.task(upstreamId, { method: 'tasks/list', params: () => params, caller, signal })
    const tasks = elementsOf(memberText(text, 'tasks') ?? '[]')
    const isOwn = (task: string): boolean =>
      session.tasks.get(stringAt(JSON.parse(task) as JsonObject, 'taskId') ?? '') === upstreamId
    found.push(...tasks.filter(isOwn))
    cursor = stringAt(value, 'nextCursor')
    if (cursor === undefined) break
  }
  return found
}

async function withLimit<T>(question: TaskQuestion, run: (limited: TaskQuestion) => Promise<T>): Promise<T> {
  const { request, signal } = question
  const limit = new Cancellation()
  const ms = request.method === 'tasks/result' ? RESULT_MS_MAX : ANSWER_MS_MAX
  const timer = setTimeout(() => limit.abort(new AppError('timeout', `${request.method} took more than ${ms} ms`)), ms)
  const stop = (): void => limit.abort(signal.reason)
  signal.addEventListener('abort', stop)
  try {
    return await run({ ...question, signal: limit })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}
