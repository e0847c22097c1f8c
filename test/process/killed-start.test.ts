import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { limitFiles } from '../support/full-disk.ts'
import { spawnGateway, startGatewayChild, type GatewayChildOptions } from '../support/gateway-child.ts'
import { hasPostgres, testPostgres } from '../support/postgres.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { newDirectory } from '../support/test-app.ts'

const START_MS_MAX = 15_000

/** Ends a gateway that starts, as soon as it has come so far. Resolves to how it ended and what it said. */
async function startUntil(options: GatewayChildOptions, isFar: () => boolean, end: (kill: () => void) => void) {
  const { child, exited, log } = await spawnGateway(options)
  const deadline = Date.now() + START_MS_MAX
  while (!isFar() && Date.now() < deadline && child.exitCode === null) await nextTurn()
  expect(isFar(), `it came so far\n${log()}`).toBe(true)
  end(() => child.kill('SIGKILL'))
  const patience = setTimeout(() => child.kill('SIGKILL'), START_MS_MAX)
  const code = await exited
  clearTimeout(patience)
  return { code, log: log() }
}

const kill = (now: () => void): void => now()

/** It is whole, and takes what is to be kept, also when it is killed while it stops. */
async function isWhole(options: GatewayChildOptions): Promise<void> {
  {
    await using gateway = await startGatewayChild(options)
    expect((await gateway.api.send('GET', 'health/ready')).status).toBe(200)
    expect((await gateway.api.send('POST', 'namespaces', { name: 'kept' })).status).toBe(201)
    gateway.signal('SIGTERM')
    gateway.signal('SIGKILL')
    await gateway.exited
  }
  await using again = await startGatewayChild(options)
  expect((await again.api.send('GET', 'namespaces/kept')).status).toBe(200)
  expect((await again.api.send('POST', 'audit/verify', {})).body).toMatchObject({ ok: true })
}

/** F16: a first start that does not come to its end leaves nothing that the next one stumbles over. */
describe('F16 a start that ends while it makes its tables', () => {
  test('on SQLite, because no more can be written or by a kill, is made up for by the next one', async () => {
    await using directory = await newDirectory()
    const options = { directory: directory.path }
    for (const bytes of [20_000, 60_000]) {
      const { child, exited, log } = await spawnGateway(options)
      limitFiles(child.pid ?? 0, bytes)
      expect(await exited, log()).toBe(1)
      expect(log()).toMatch(/The database .*could not be migrated|cannot be opened/)
    }
    const wal = join(directory.path, 'data', 'metamcp.db-wal')
    expect((await startUntil(options, () => existsSync(wal), kill)).code).toBe(null)
    await isWhole(options)
  })

  test.skipIf(!hasPostgres())(
    'on PostgreSQL is made up for, and so is a database that goes away meanwhile',
    async () => {
      await using directory = await newDirectory()
      const database = await testPostgres()
      if (!database) throw new Error('no PostgreSQL')
      await using _closed = { [Symbol.asyncDispose]: () => database.close() }
      const direct = new URL(database.url)
      await using wire = await startTcpProxy(Number(direct.port))
      const through = new URL(database.url)
      through.port = String(wire.port)
      const options = { directory: directory.path, env: { META_MCP_DATABASE_URL: through.href } }
      wire.be({ lateMs: 5 })
      for (const bytes of [3000, 12_000]) {
        const from = wire.bytes
        const { code } = await startUntil(options, () => wire.bytes >= from + bytes, kill)
        expect(code).toBe(null)
      }
      const from = wire.bytes
      const cut = await startUntil(
        options,
        () => wire.bytes >= from + 8000,
        () => wire.be('cut'),
      )
      expect(cut.code, 'it ends by itself').toBe(1)
      expect(cut.log).toMatch(/database|PostgreSQL/)
      expect(cut.log).not.toMatch(/^\s+at /m)
      wire.be('good')
      await isWhole(options)
    },
  )
})
