import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '#config/load'
import { sick, startGatewayChild } from '../support/gateway-child.ts'
import { isRunning } from '../support/processes.ts'
import { newDirectory } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const NOBODY = 65_534
const ENV = { META_MCP_ANONYMOUS_ROLE: 'admin', META_MCP_SEARCH_EMBEDDER: 'static' }

/** C5, C8: a server of the same user could read the keys, and with the local token be an administrator. */
describe.skipIf(process.getuid?.() !== 0)('C5, C8 commands of a gateway that runs as root', () => {
  test('run as the user that it names, in no group of its own, and read nothing that is the gateway’s', async () => {
    await using place = await newDirectory()
    const env = { ...ENV, META_MCP_STDIO_USER: `${NOBODY}:${NOBODY}`, HOME: '/root' }
    const file = { servers: { nosy: sick('nosy', { start: 'eager' }) } }
    await using gateway = await startGatewayChild({ directory: place.path, env, file })
    await gateway.api.online('nosy')
    const said = async (tool: string, args = {}): Promise<unknown> => {
      const { body } = await gateway.api.execute(`nosy__${tool}`, args)
      return JSON.parse(body.result.content[0]?.text ?? '')
    }
    const status = String(await said('status'))
    expect(status).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m)
    expect(status).toMatch(/^Gid:\t65534\t65534\t65534\t65534$/m)
    expect(status).toMatch(/^Groups:\s*$/m)
    const environment = (await said('environment')) as Record<string, string>
    expect([environment['HOME'], environment['USER'], environment['PATH'] !== '']).toEqual([undefined, undefined, true])

    const data = join(place.path, 'data')
    const files = readdirSync(data)
    expect(files).toEqual(expect.arrayContaining(['gateway.json', 'metamcp.db']))
    const own = [...files.map((name) => join(data, name)), `/proc/${gateway.pid}/environ`, `/proc/${gateway.pid}/mem`]
    for (const path of own) expect([path, await said('read', { path })]).toEqual([path, 'EACCES'])
    expect(await said('read', { path: MAIN })).toBeGreaterThan(0)

    const { pid } = (await said('process')) as { pid: number }
    expect((await gateway.api.send('PATCH', 'proxy/servers/nosy', { enabled: false })).status).toBe(200)
    await until('it is gone', () => !isRunning(pid))
  })

  test('do not run at all where the gateway is not root: it says so and does not start', async () => {
    await using place = await newDirectory()
    const env = { PATH: process.env['PATH'], META_MCP_DATA_DIR: place.path, META_MCP_STDIO_USER: '1000:1000' }
    const run = spawnSync(process.execPath, [MAIN, 'serve'], { env, uid: NOBODY, gid: NOBODY, encoding: 'utf8' })
    expect([run.status, run.stdout]).toEqual([1, ''])
    expect(run.stderr).toContain('META_MCP_STDIO_USER: needs a gateway that runs as root')
  })
})

test.each(['root', '1000', '0:0', '0:1000', '1000:0', '-1:5', '4294967295:1', '1000:1000:1'])(
  'C5 %j names no user for commands',
  (text) => {
    expect(() => loadConfig({ env: { META_MCP_STDIO_USER: text } })).toThrow('must be UID:GID')
  },
)
