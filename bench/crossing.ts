// Calls that can tell their own answer from all others, as a process of its own:
// node bench/crossing.ts --url URL --servers a,b,c --connections N --seconds S; prints one JSON line.
import { parseArgs } from 'node:util'
import { Connection, type Reply } from './connection.ts'
import { callText, listTools, openSession, post, type Answer } from './mcp-client.ts'

/** How the calls came out. */
export interface Crossing {
  /** Of each server: its own sign and the call's own message. */
  readonly right: Record<string, number>
  /** An error under the call's own id, by code and message. */
  readonly refused: Record<string, number>
  /** Everything else: another's answer, none, a broken connection. */
  readonly wrong: string[]
}

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    servers: { type: 'string', default: '' },
    connections: { type: 'string', default: '256' },
    seconds: { type: 'string', default: '10' },
  },
})
const url = new URL(values.url)
const servers = values.servers.split(',')
const WRONG_SHOWN = 20
const seen: Crossing = { right: {}, refused: {}, wrong: [] }
const connections = Array.from({ length: Number(values.connections) }, () => new Connection(Number(url.port)))
let lastId = 0

function note(counts: Record<string, number>, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1
}

function judge(server: string, id: number, { status, body }: Reply): void {
  const answer = parsed(body)
  const text = answer?.result?.content?.[0]?.text
  if (answer?.id === id && text === `${server}:message ${id} for ${server}`) note(seen.right, server)
  else if (answer?.id === id && answer.error !== undefined && answer.result === undefined)
    note(seen.refused, `${answer.error.code} ${sentence(answer.error.message, server)}`)
  else if (seen.wrong.length < WRONG_SHOWN)
    seen.wrong.push(`call ${id} of ${server}: HTTP ${status} ${body.slice(0, 200)}`)
}

/** The same for all servers and numbers. */
function sentence(message: string, server: string): string {
  const [first = ''] = message.replaceAll(/\d+/g, 'N').split('. ', 1)
  return first.replace(new RegExp(`^${server}\\b:?`), '…').slice(0, 80)
}

function parsed(body: string): Answer | undefined {
  try {
    return JSON.parse(body) as Answer
  } catch {
    return undefined
  }
}

/** The echo tool of each server, whatever stands between the two. */
async function findEchoes(connection: Connection): Promise<ReadonlyMap<string, string>> {
  const names = await listTools(connection, await openSession(connection, url))
  connection.close()
  const found = servers.map((server) => {
    const name = names.find((each) => each.startsWith(server) && each.endsWith('echo'))
    if (name === undefined) throw new Error(`no echo of ${server} among ${names.join(', ')}`)
    return [server, name] as const
  })
  return new Map(found)
}

async function work(connection: Connection, index: number): Promise<void> {
  const head = await openSession(connection, url)
  while (performance.now() < until) {
    const id = (lastId += 1)
    const server = servers[(index + id) % servers.length] ?? ''
    const message = `message ${id} for ${server}`
    try {
      judge(server, id, await connection.request(post(head, callText(id, echoes.get(server) ?? '', message))))
    } catch (error) {
      if (seen.wrong.length < WRONG_SHOWN) seen.wrong.push(`call ${id} of ${server}: ${String(error)}`)
    }
  }
  connection.close()
}

const until = performance.now() + Number(values.seconds) * 1000
const echoes = await findEchoes(new Connection(Number(url.port)))
await Promise.all(connections.map(work))
console.log(JSON.stringify(seen))
