import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sick, startGatewayChild, type GatewayChild } from '../support/gateway-child.ts'
import { OPEN } from '../support/open.ts'
import { descendants } from '../support/processes.ts'
import { startBackend } from '../support/recording-backend.ts'
import { newDirectory } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const OBJECT = { type: 'object' }

async function executions(gateway: GatewayChild): Promise<number> {
  const { body } = await gateway.api.send<{ total: number }>('GET', 'executions')
  return body.total
}

test('F19: SIGTERM under load: what runs is answered, what is new is refused, the end is 0 and leaves no child', async () => {
  await using directory = await newDirectory()
  await using backend = await startBackend()
  const held: (() => void)[] = []
  backend.on('/slow', (response) => void held.push(() => response.writeHead(200).end('{"late":true}')))
  const file = {
    servers: { well: sick('healthy', { start: 'eager' }) },
    tools: { slow: { endpoint: `${backend.url}/slow`, inputSchema: OBJECT } },
  }
  await using gateway = await startGatewayChild({ directory: directory.path, file, env: OPEN })
  await gateway.api.online('well')
  const children = descendants(gateway.pid)
  expect(children).toHaveLength(1)
  const running = Array.from({ length: 20 }, () => gateway.api.execute('slow'))
  await until('all at the backend', () => held.length === 20)
  gateway.signal('SIGTERM')
  const after = await untilRefused(gateway)
  expect(['closed', 503]).toContain(after)
  for (const answer of held) answer()
  const replies = await Promise.all(running)
  expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
  expect(replies.every(({ body }) => body.status === 'success')).toBe(true)
  expect(await gateway.exited).toBe(0)
  await until('no child', () => children.every((pid) => !descendants(1).includes(pid)))
  await using again = await startGatewayChild({ directory: directory.path, file, env: OPEN })
  expect(await executions(again), 'what was answered is in the history').toBe(20)
})

/** What a new call meets: 503, or no connection any more. */
async function untilRefused(gateway: GatewayChild): Promise<'closed' | 503> {
  for (;;) {
    const met = await gateway.api.send('GET', 'health/ready').then(
      ({ status }) => status,
      () => 'closed' as const,
    )
    if (met === 'closed' || met === 503) return met
  }
}

test('F20: a file that is broken changes nothing and the log says so; the next good one is applied', async () => {
  await using directory = await newDirectory()
  await using backend = await startBackend()
  backend.on('/a', '{"worked":true}')
  const tools = { a: { endpoint: `${backend.url}/a`, inputSchema: OBJECT } }
  await using gateway = await startGatewayChild({ directory: directory.path, file: { tools }, env: OPEN })
  const path = join(directory.path, 'metamcp.json')
  for (const broken of ['{"tools": {', '{"tools": {"a": {"endpoint": "no address"}}}', '{"toolz": {}}']) {
    const before = gateway.log().split('config file rejected').length
    await writeFile(path, broken)
    await until('the log says so', () => gateway.log().split('config file rejected').length > before)
    expect((await gateway.api.execute('a')).body).toMatchObject({ status: 'success' })
  }
  await writeFile(path, JSON.stringify({ tools: { ...tools, b: tools.a } }))
  await until('the new tool is there', async () => (await gateway.api.execute('b')).status === 200)
})
