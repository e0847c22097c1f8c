import { expect, test } from 'vitest'
import { online, pipeTo, taskSubjects } from '../support/lossless/cells.ts'
import { httpPipe } from '../support/lossless/pipes.ts'
import { connectPeer } from '../support/lossless/raw-peer.ts'
import { liveWithTasks, tasksOf } from '../support/lossless/tasks.ts'
import { startTestApp } from '../support/test-app.ts'

const ROOT = 'file:///tmp'
/** Of a task that no server has the gateway itself says so. */
const isServers = (line: string): boolean => !line.includes('Task not found')

test.concurrent.for(taskSubjects())(
  'tasks live through the gateway as they do direct, and belong to the client that made them: $name (R113)',
  async ({ start }) => {
    await using cleanup = new AsyncDisposableStack()
    const server = { ...(await start('/tmp', cleanup)), prefix: 'pre' }
    const memory = { ...(await start('/tmp', cleanup)), prefix: 'other' }
    const app = cleanup.use(await startTestApp({ file: { servers: { server, memory } } }))
    await online(app.listening.url)
    const open = async (pipe: ReturnType<typeof httpPipe>) => cleanup.use(await connectPeer(pipe, 'legacy', ROOT))

    const direct = await open(await pipeTo(await start('/tmp', cleanup), 'legacy'))
    const alice = await open(httpPipe(app.listening.mcp, { listen: true }))
    const bob = await open(httpPipe(app.listening.mcp, { listen: true }))
    expect(tasksOf(alice)).toBe(tasksOf(direct))

    const [said, through] = await Promise.all([liveWithTasks(direct, ''), liveWithTasks(alice, 'pre__')])
    expect(through.said.filter(isServers)).toEqual(said.said.filter(isServers))

    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
      const { answer } = await bob.request(method, `"taskId":"${through.id}"`)
      expect(answer).toContain('"code":-32602')
    }
    expect((await bob.request('tasks/list', '')).answer).toBe('{"result":{"tasks":[]}}')
  },
)
