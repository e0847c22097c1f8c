import { expect, test } from 'vitest'
import { startGatewayChild } from '../support/gateway-child.ts'
import { runProcess } from '../support/run-cli.ts'
import { newDirectory } from '../support/test-app.ts'

test('R292 metamcp audit lists, verifies and exports, of a gateway that runs and of what it left', async () => {
  await using directory = await newDirectory()
  const data = `${directory.path}/data`
  const env = { META_MCP_DATA_DIR: data, META_MCP_ANONYMOUS_ROLE: 'admin' }
  const run = (...args: string[]) => runProcess(['audit', ...args], { env })
  const outputs = async () => {
    const [list, verify, exported] = [await run('list'), await run('verify', '--json'), await run('export')]
    expect([list.code, verify.code, exported.code], list.stderr + verify.stderr).toEqual([0, 0, 0])
    return {
      list: list.stdout,
      verdict: JSON.parse(verify.stdout) as { head: { seq: number; hash: string } },
      exported,
    }
  }
  const gateway = await startGatewayChild({ directory: directory.path, env })
  expect((await gateway.api.send('POST', 'namespaces', { name: 'dev' })).status).toBe(201)
  const running = await outputs()
  expect(running.list).toMatch(/namespaces:create +success +namespaces\/dev/)
  gateway.signal('SIGKILL')
  await gateway.exited
  const stopped = await outputs()
  expect(stopped).toEqual(running)
  expect(running.verdict).toMatchObject({ ok: true })
  const { seq, hash } = running.verdict.head
  expect((await run('verify', '--since', `${seq}:${hash}`)).code).toBe(0)
  expect(await run('verify', '--since', `${seq}:other`)).toMatchObject({ code: 1 })
  const nowhere = await run('verify', '--data-dir', `${directory.path}/nowhere`)
  expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no database') as string })
})
