import { createServer } from 'node:http'
import type { AddressInfo, LookupFunction } from 'node:net'
import { Agent, request } from 'undici'
import { describe, expect, test } from 'vitest'
import { HOSTS, ODD_URLS } from '../../test/support/corpus/hosts.ts'
import { phoneBook } from '../../test/support/phone-book.ts'
import { createAdmission } from './admission.ts'
import { createEgress, EGRESS_REFUSED, type EgressOptions } from './egress.ts'

const NAMES = phoneBook({
  'api.example.com': ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'],
  'inside.example.com': ['10.1.2.3'],
  'mixed.example.com': ['93.184.215.14', '10.1.2.3'],
  'six.example.com': ['fd00::1'],
  'mapped.example.com': ['::ffff:10.0.0.1'],
  'translated.example.com': ['64:ff9b::a9fe:a9fe'],
  'loop.example.com': ['127.0.0.1'],
  localhost: ['127.0.0.1', '::1'],
  'db.corp': ['10.9.9.9'],
  redis: ['172.18.0.5'],
})

const admission = (more: Partial<EgressOptions> = {}) =>
  createAdmission({
    egressAllow: [],
    isLoopbackOnly: false,
    lookup: NAMES,
    stdioRegistration: 'off',
    dataDir: '/data',
    ...more,
  })

/** Whether a URL is admitted as endpoint of a tool and as address of a server: both must say the same. */
async function isAdmitted(url: string, more: Partial<EgressOptions> = {}): Promise<boolean> {
  const { admit } = admission(more)
  const verdicts = await Promise.all(
    [{ endpoint: url }, { connection: { kind: 'http', url, headers: {}, transport: 'auto' } } as const].map((draft) =>
      admit(draft).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ code: 'policy_violation', status: 403 })
          expect((error as Error).message).toContain('META_MCP_EGRESS_ALLOW')
          return false
        },
      ),
    ),
  )
  expect(new Set(verdicts).size).toBe(1)
  return verdicts[0] === true
}

describe('S1–S4: what is registered leads to the public Internet, however the address is written (R257)', () => {
  test('the tables hold more than 300 spellings', () => {
    expect(new Set([...HOSTS, ...ODD_URLS]).size).toBeGreaterThan(300)
  })

  test.each([...new Set(HOSTS)])('the host %j is refused', async (host) => {
    expect(await isAdmitted(`http://${host}/mcp`)).toBe(false)
    expect(await isAdmitted(`https://${host}:8443/mcp?x=1`)).toBe(false)
  })

  test.each([...new Set(ODD_URLS)])('the address %j is refused', async (url) => {
    expect(await isAdmitted(url)).toBe(false)
  })

  test.each([
    'http://api.example.com/mcp',
    'https://API.example.com:8443/mcp?x=1',
    'https://api.example.com./mcp',
    'https://api.example.com',
    'https://api.example.com?q={argument}',
    'https://api.example.com/v1/{place}/x',
    'https://not-known-today.example.org/mcp',
    'https://xn--bcher-kva.example.org/mcp',
    'http://8.8.8.8/',
    'http://1.1.1.1:8080/',
    'http://172.15.0.1/',
    'http://172.32.0.1/',
    'http://100.128.0.1/',
    'http://[2606:4700:4700::1111]/',
    'http://[2001:4860:4860::8888]:443/',
  ])('the public address %j is admitted', async (url) => {
    expect(await isAdmitted(url)).toBe(true)
  })

  test('WebSocket addresses are for WebSocket servers only', async () => {
    const { admit } = admission()
    const url = 'wss://api.example.com/ws'
    const to = (transport: 'websocket' | 'sse') => admit({ connection: { kind: 'http', url, headers: {}, transport } })
    await to('websocket')
    await expect(to('sse')).rejects.toMatchObject({ code: 'policy_violation' })
    await expect(admit({ endpoint: url })).rejects.toMatchObject({ code: 'policy_violation' })
  })

  test('a user in an address is named as the reason', async () => {
    const verdict = admission().admit({ endpoint: 'http://user@api.example.com/' })
    await expect(verdict).rejects.toThrow('must not hold a user')
  })

  test('a refusal does not say to which address a name leads', async () => {
    await expect(admission().admit({ endpoint: 'http://inside.example.com/' })).rejects.toThrow(/^(?!.*10\.1).*$/)
  })
})

describe('while the gateway listens on loopback only', () => {
  const loopback = { isLoopbackOnly: true }
  test.each([
    'http://127.0.0.1:9000/mcp',
    'http://127.1.2.3/',
    'http://[::1]:9000/',
    'http://localhost:3000/mcp',
    'http://loop.example.com/',
  ])('loopback is admitted: %s', async (url) => expect(await isAdmitted(url, loopback)).toBe(true))

  const notLoopback = HOSTS.filter(
    (host) =>
      ![
        '127.0.0.1',
        '127.8.9.10',
        '127.0.0.1.',
        '127.8.9.10.',
        '[::1]',
        'localhost',
        'LOCALHOST',
        'localhost.',
        'loop.example.com',
      ].includes(host),
  )
  test.each([...new Set(notLoopback)])('all else that is not public stays refused: %j', async (host) => {
    expect(await isAdmitted(`http://${host}/mcp`, loopback)).toBe(false)
  })
})

describe('what META_MCP_EGRESS_ALLOW names is admitted', () => {
  test.each([
    ['10.0.0.0/8', 'http://10.200.0.1/', true],
    ['10.0.0.0/8', 'http://inside.example.com/', true],
    ['10.0.0.0/8', 'http://mixed.example.com/', true],
    ['10.0.0.0/8', 'http://db.corp/', true],
    ['10.0.0.0/8', 'http://192.168.1.1/', false],
    ['10.0.0.0/8', 'http://[::ffff:a00:1]/', false],
    ['192.168.1.1', 'http://192.168.1.1/', true],
    ['192.168.1.1', 'http://192.168.1.2/', false],
    ['fd00::/8', 'http://[fd00::1]/', true],
    ['fd00::/8', 'http://six.example.com/', true],
    ['redis', 'http://redis:6379/', true],
    ['Redis', 'http://REDIS/', true],
    ['*.corp', 'http://db.corp/', true],
    ['*.corp', 'http://db.corp.evil.local/', false],
    ['localhost', 'http://localhost/', true],
    ['localhost', 'http://127.0.0.1/', false],
    ['127.0.0.1', 'http://127.0.0.1/', true],
    ['127.0.0.1', 'http://2130706433/', false],
    ['inside.example.com', 'http://inside.example.com/', true],
    ['inside.example.com', 'http://mixed.example.com/', false],
  ])('%s and %s: %s', async (entry, url, expected) => {
    expect(await isAdmitted(url, { egressAllow: [entry] })).toBe(expected)
  })
})

describe('S5, S6: the rule holds at the time of use', () => {
  test('a name that was public when it was admitted and leads inside when it is used is not connected', async () => {
    await using server = await listener()
    let looks = 0
    const rebinding: LookupFunction = (hostname, options, callback) =>
      phoneBook({ 'evil.example.com': [looks++ === 0 ? '93.184.215.14' : '127.0.0.1'] })(hostname, options, callback)
    const options = { egressAllow: [], isLoopbackOnly: false, lookup: rebinding }
    const url = `http://evil.example.com:${server.port}/`
    await createEgress(options).check(url, ['http:'])
    expect(await reach(url, options)).toBe(EGRESS_REFUSED)
    expect(looks).toBe(2)
  })

  test('one inside address among public ones is enough to refuse', async () => {
    await using server = await listener()
    const lookup = phoneBook({ 'mixed.example.com': ['127.0.0.1', '93.184.215.14'] })
    const options = { egressAllow: [], isLoopbackOnly: false, lookup }
    expect(await reach(`http://mixed.example.com:${server.port}/`, options)).toBe(EGRESS_REFUSED)
  })

  test('an address that is never looked up is judged as well', async () => {
    await using server = await listener()
    const options = { egressAllow: [], isLoopbackOnly: false }
    expect(await reach(`http://127.0.0.1:${server.port}/`, options)).toBe(EGRESS_REFUSED)
  })

  test('what is allowed is reached, by name and by address', async () => {
    await using server = await listener()
    const lookup = phoneBook({ 'app.example.com': ['127.0.0.1'] })
    const options = { egressAllow: [], isLoopbackOnly: true, lookup }
    expect(await reach(`http://app.example.com:${server.port}/`, options)).toBe('reached')
    expect(await reach(`http://127.0.0.1:${server.port}/`, options)).toBe('reached')
    const byName = { egressAllow: ['app.example.com'], isLoopbackOnly: false, lookup }
    expect(await reach(`http://app.example.com:${server.port}/`, byName)).toBe('reached')
  })

  test('a caller that wants one address gets one', () => {
    const { lookup } = createEgress({ egressAllow: [], isLoopbackOnly: false, lookup: NAMES })
    lookup('api.example.com', {}, (error, address, family) => {
      expect([error, address, family]).toEqual([null, '93.184.215.14', 4])
    })
  })
})

async function listener() {
  const server = createServer((_request, response) => response.end('reached'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { port, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) }
}

async function reach(url: string, options: EgressOptions): Promise<string> {
  const agent = new Agent({ connect: createEgress(options).connector(1000) })
  try {
    return await (await request(url, { dispatcher: agent })).body.text()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  } finally {
    await agent.destroy()
  }
}
