import { expect, test } from 'vitest'
import { makeNamespace, namespaceNames, readiness, totalOf, untilRefused } from '../support/durability.ts'
import { fullDisk } from '../support/full-disk.ts'
import { startGatewayChild } from '../support/gateway-child.ts'
import { startBackend } from '../support/recording-backend.ts'
import { until } from '../support/until.ts'

const ENV = { META_MCP_SEARCH_EMBEDDER: 'static' }

/** F17: what cannot be kept is not promised, and what was promised is kept. */
test(`F17 R179 with ${fullDisk.name} nothing that was acknowledged is lost, it says so, and goes on by itself`, async () => {
  await using disk = await fullDisk.open()
  await using backend = await startBackend()
  backend.on('/t', '{"ok":true}')
  const file = { tools: { plain: { endpoint: `${backend.url}/t` } } }
  const options = { directory: disk.path, file, env: ENV }
  const made: string[] = []
  let calls = 0
  {
    await using gateway = await startGatewayChild(options)
    const call = async (): Promise<void> => {
      expect((await gateway.api.execute('plain')).status).toBe(200)
      calls += 1
    }
    await call()
    disk.fill(gateway.pid)
    const refused = await untilRefused(gateway, made, { prefix: 'kept', most: 1000 })
    expect(refused).toMatchObject({ status: 503, body: { error: 'unavailable' } })
    expect(refused.text).not.toMatch(/sqlite|SQLITE|ENOSPC|EFBIG|disk I\/O|metamcp\.db|\/tmp/)
    for (let n = 0; n < 20; n += 1) await call()
    await until('it is not ready', async () => (await readiness(gateway)) === 503)
    expect((await gateway.api.send('GET', 'health/live')).status).toBe(200)
    const { status, body } = await makeNamespace(gateway, 'never')
    expect([status, body['error']]).toEqual([503, 'unavailable'])
    expect(await namespaceNames(gateway), 'only what was acknowledged').toEqual(expect.arrayContaining(made))
    disk.free(gateway.pid)
    const freedAt = performance.now()
    await until('it is ready again', async () => (await readiness(gateway)) === 200)
    const ms = Math.round(performance.now() - freedAt)
    expect((await makeNamespace(gateway, 'after')).status).toBe(201)
    made.push('after')
    await until('the calls are in the history', async () => (await totalOf(gateway, 'executions?name=plain')) === calls)
    expect(await totalOf(gateway, 'audit?action=tools:execute')).toBe(calls)
    console.log(`F17 ${fullDisk.name}: ${made.length} changes acknowledged, ${calls} calls, ready again after ${ms} ms`)
    gateway.signal('SIGKILL')
    await gateway.exited
  }
  await using again = await startGatewayChild(options)
  const there = await namespaceNames(again)
  expect(made.filter((each) => !there.includes(each))).toEqual([])
  expect(there).not.toContain('never')
  expect(await totalOf(again, 'executions?name=plain')).toBe(calls)
  expect((await again.api.send('POST', 'audit/verify', {})).body).toMatchObject({ ok: true })
})
