import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startGatewayChild } from '../support/gateway-child.ts'
import { startFaulty, type HttpKind } from '../support/sick/faulty-http.ts'
import { newDirectory } from '../support/test-app.ts'
import { OPEN } from '../support/open.ts'
import { until } from '../support/until.ts'

const TLS = join(import.meta.dirname, '../support/tls')
const read = (name: string): string => readFileSync(join(TLS, `${name}.pem`), 'utf8')
const WHY: Readonly<Record<string, RegExp>> = {
  expired: /certificate has expired/,
  'wrong-name': /certificate is for another name/,
}

/** A gateway that trusts the authority of the tests, with one server or tool for each certificate. */
async function start(kind: HttpKind) {
  await using cleanup = new AsyncDisposableStack()
  const { path: directory } = cleanup.use(await newDirectory())
  const entries: Record<string, object> = {}
  for (const name of ['good', ...Object.keys(WHY)]) {
    const { url } = cleanup.use(await startFaulty(kind, { key: read('key'), cert: read(name) }))
    entries[name] = kind === 'http-tool' ? { endpoint: url } : { url, transport: kind, start: 'eager' }
  }
  const file = kind === 'http-tool' ? { tools: entries } : { servers: entries }
  const env = { ...OPEN, NODE_EXTRA_CA_CERTS: join(TLS, 'ca.pem'), META_MCP_CIRCUIT_BREAKER_FAILURE_THRESHOLD: '2' }
  const gateway = cleanup.use(await startGatewayChild({ directory, file, env }))
  const kept = cleanup.move()
  return { api: gateway.api, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

interface Shown {
  readonly name: string
  readonly status: string
  readonly status_reason: string
}

test.each<HttpKind>(['streamable-http', 'sse'])(
  'F9 an expired certificate, and one for another name, keep a server (%s) offline and say why; a good one does not',
  async (kind) => {
    await using gateway = await start(kind)
    await gateway.api.online('good')
    expect((await gateway.api.execute('good__work')).status).toBe(200)
    for (const [name, why] of Object.entries(WHY)) {
      await until(`${name} offline, with the reason`, async () => {
        const { body } = await gateway.api.send<{ servers: Shown[] }>('GET', 'proxy/servers')
        const server = body.servers.find((each) => each.name === name)
        return server?.status === 'offline' && why.test(server.status_reason)
      })
    }
  },
)

test('F9 so for HTTP tools: the call fails by name, and the breaker opens', async () => {
  await using gateway = await start('http-tool')
  expect((await gateway.api.execute('good')).body).toMatchObject({ status: 'success' })
  for (const [name, why] of Object.entries(WHY)) {
    const replies = [await gateway.api.execute(name), await gateway.api.execute(name), await gateway.api.execute(name)]
    expect(replies.map(({ status }) => status)).toEqual([502, 502, 503])
    expect(replies[0]?.body.message).toMatch(why)
  }
})
