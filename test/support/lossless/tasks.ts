import { until } from '../until.ts'
import type { Exchange, Peer } from './raw-peer.ts'
import { rawMember } from './raw-json.ts'

const ID = /"taskId":"([^"]+)"/
const TOOL = 'simulate-research-query'

/** Ids and times are the server's own; all else is compared. */
function undone(text: string): string {
  return text
    .replaceAll(/"taskId":"[^"]+"/g, '"taskId":"ID"')
    .replaceAll(/"(createdAt|lastUpdatedAt)":"[^"]+"/g, '"$1":"TIME"')
}

/** The life of tasks as a client sees it: made, looked at, listed, cancelled, waited for with a question on the way. */
export async function liveWithTasks(
  peer: Peer,
  prefix: string,
): Promise<{ readonly said: string[]; readonly id: string }> {
  const said: string[] = []
  const told = new Set<string>()
  const ask = async (method: string, params: string): Promise<Exchange> => {
    const exchange = await peer.request(method, params)
    for (const each of exchange.told) if (each.includes('tasks/status')) told.add(undone(each))
    const asked = exchange.asked.filter((each) => !each.startsWith('roots/list'))
    // What stands beside the elements of a list is the gateway's.
    const list = method === 'tasks/list' ? rawMember(rawMember(exchange.answer, 'result') ?? '{}', 'tasks') : undefined
    said.push(`${method}: ${undone([list ?? exchange.answer, ...asked].join('\n'))}`)
    return exchange
  }
  const make = async (topic: string): Promise<string> => {
    const args = `"arguments":{"topic":"${topic}","ambiguous":true},"task":{"ttl":60000}`
    const { answer } = await ask('tools/call', `"name":"${prefix}${TOOL}",${args}`)
    return ID.exec(answer)?.[1] ?? 'none'
  }
  await ask('tools/call', `"name":"${prefix}${TOOL}","arguments":{"topic":"no task"}`)
  const id = await make('python')
  const other = await make('other')
  await ask('tasks/get', `"taskId":"${id}"`)
  await ask('tasks/cancel', `"taskId":"${other}"`)
  await ask('tasks/cancel', `"taskId":"${other}"`)
  await ask('tasks/list', '')
  await ask('tasks/get', '"taskId":"none"')
  await ask('tasks/result', `"taskId":"${id}"`)
  await ask('tasks/get', `"taskId":"${id}"`)
  await until('the task says that it is done', async () => {
    const { told: late } = await peer.request('ping', '')
    for (const each of late) if (each.includes('tasks/status')) told.add(undone(each))
    return [...told].some((each) => each.includes('"status":"completed"'))
  })
  return { said: [...said, ...[...told].toSorted()], id }
}

export function tasksOf(peer: Peer): string | undefined {
  return rawMember(rawMember(peer.hello, 'capabilities') ?? '{}', 'tasks')
}
