import { setTimeout as delay } from 'node:timers/promises'

const PAUSE_MS = 20
const REQUEST_MS_MAX = 60_000

/** What came of the load so far. */
export interface Tally {
  /** Done, by what it was. */
  readonly done: Record<string, number>
  /** Refused with a code of ours: while a server restarts that is what a caller meets. */
  readonly refused: Record<string, number>
  /** Answers that nobody should get. */
  readonly wrong: string[]
}

interface Reply {
  readonly error?: string
  readonly result?: { readonly content?: readonly { readonly text?: string }[] }
}

interface Work {
  readonly base: URL
  readonly tally: Tally
}

const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

async function ask({ base }: Work, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(new URL(path, base), { headers: HEADERS, signal: AbortSignal.timeout(REQUEST_MS_MAX), ...init })
}

const post = (body: unknown): RequestInit => ({ method: 'POST', body: JSON.stringify(body) })

async function call(work: Work, server: string): Promise<void> {
  const message = `soak ${Math.random()}`
  const response = await ask(work, `/api/v1/tools/${server}__echo/execute`, post({ arguments: { message } }))
  const body = (await response.json()) as Reply
  if (body.error !== undefined) refuse(work, body.error)
  else if (body.result?.content?.[0]?.text !== message) work.tally.wrong.push(`${server}: ${JSON.stringify(body)}`)
}

function refuse({ tally }: Work, code: string): void {
  if (code === 'internal_error') tally.wrong.push(code)
  tally.refused[code] = (tally.refused[code] ?? 0) + 1
}

async function read(work: Work, path: string, init?: RequestInit): Promise<void> {
  const response = await ask(work, path, init)
  const text = await response.text()
  if (!response.ok) work.tally.wrong.push(`${path}: HTTP ${response.status} ${text.slice(0, 200)}`)
}

const HELLO = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'soak', version: '1' } }

/** Opens a session, uses it once, and leaves it: politely, without a word, or with its stream open until that is cut. */
async function visit(work: Work): Promise<void> {
  const opened = await ask(work, '/mcp', post({ jsonrpc: '2.0', id: 1, method: 'initialize', params: HELLO }))
  await opened.text()
  const headers = { ...HEADERS, 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
  await read(work, '/mcp', { ...post({ jsonrpc: '2.0', id: 2, method: 'tools/list' }), headers })
  const leaving = Math.random()
  if (leaving < 0.3) await read(work, '/mcp', { method: 'DELETE', headers })
  else if (leaving < 0.6) await (await ask(work, '/mcp', { headers })).body?.cancel()
}

const WORK: readonly (readonly [name: string, share: number, run: (work: Work) => Promise<void>])[] = [
  ['call over stdio', 40, (work) => call(work, 'pipe')],
  ['call over HTTP', 40, (work) => call(work, 'web')],
  ['list', 5, (work) => read(work, '/api/v1/tools?limit=1000')],
  ['search', 5, (work) => read(work, `/api/v1/tools/search?q=rows+${Math.floor(Math.random() * 1000)}`)],
  ['visit', 5, visit],
  ['wrong name', 5, (work) => call(work, `nobody-${Math.floor(Math.random() * 1000)}`)],
]

const SHARES = WORK.reduce((sum, [, share]) => sum + share, 0)

function pick(): (typeof WORK)[number] {
  let at = Math.random() * SHARES
  return WORK.find(([, share]) => (at -= share) < 0) ?? WORK[0]!
}

/** One of those who ask, until the signal. */
export async function keepAsking(work: Work, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const [name, , run] = pick()
    try {
      await run(work)
    } catch (error) {
      work.tally.wrong.push(`${name}: ${String(error)}`)
    }
    work.tally.done[name] = (work.tally.done[name] ?? 0) + 1
    await delay(PAUSE_MS)
  }
}
