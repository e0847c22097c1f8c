import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { apiClient } from '../support/api-client.ts'
import { sick } from '../support/gateway-child.ts'
import { OPEN } from '../support/open.ts'
import { modernRaw } from '../support/raw-clients.ts'
import { newDirectory } from '../support/test-app.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const CALLS = 1500

/** A pipe holds 64 kB; a debug line has some 200 bytes. */
test('who does not read the log holds up no call, nor the end (F23)', async () => {
  await using place = await newDirectory()
  const config = join(place.path, 'metamcp.json')
  await writeFile(config, JSON.stringify({ servers: { healthy: sick('healthy', { start: 'eager' }) } }))
  const args = [MAIN, 'serve', '--config', config, '--port', '0', '--data-dir', join(place.path, 'data')]
  const env = { PATH: process.env['PATH'], META_MCP_LOGGING_LEVEL: 'DEBUG', ...OPEN }
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
    const { mcp, url } = JSON.parse(line) as { mcp: string; url: string }
    await apiClient(url).online('healthy')
    await using client = modernRaw(mcp)
    for (let n = 0; n < CALLS; n += 100) {
      const call = (id: number) =>
        client.call('tools/call', { name: 'healthy__echo', arguments: { said: 'x' } }, { id })
      const answers = await Promise.all(Array.from({ length: 100 }, (_, id) => call(id)))
      expect(answers.filter(({ result }) => JSON.stringify(result).includes('"x"'))).toHaveLength(100)
    }
    expect(child.stderr.readableLength, 'nobody has read').toBeLessThan(100_000)
    const since = performance.now()
    child.kill('SIGTERM')
    expect((await exited)[0]).toBe(0)
    expect(performance.now() - since).toBeLessThan(15_000)
  } finally {
    child.kill('SIGKILL')
  }
})
