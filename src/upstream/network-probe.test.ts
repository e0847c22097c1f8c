import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { httpServer, legacy, modern, workshop } from '../../test/support/discovery-workshop.ts'
import { until } from '../../test/support/until.ts'

const network = (ports: readonly number[], hosts: readonly string[] = ['127.0.0.1']) =>
  ({ kind: 'network', hosts, ports, path: '/mcp' }) as const

const at = (port: number) => ({
  kind: 'http',
  url: `http://127.0.0.1:${port}/mcp`,
  headers: {},
  transport: 'streamable-http',
})

describe('servers in the network (R002, R123)', () => {
  test('servers of both eras are found by asking, and others are not', async () => {
    await using old = await httpServer(legacy('Old Server!'))
    await using young = await httpServer(modern('young'))
    await using web = await httpServer((_body, _request, response) => response.end('<html>'))
    await using silent = await httpServer(() => {})
    using shop = workshop()
    const closed = await httpServer(() => {})
    await closed[Symbol.asyncDispose]()
    const ports = [old.port, closed.port, silent.port, web.port, young.port]
    const found = await shop.discovery.find(network(ports))
    expect(found).toEqual([
      { name: `Old-Server-${old.port}`, connection: at(old.port) },
      { name: `young-${young.port}`, connection: at(young.port) },
    ])
    expect(young.seen.map(({ method }) => method)).toEqual(['server/discover'])
  })

  test('a probe leaves no session behind', async () => {
    await using old = await httpServer(legacy('old'))
    using shop = workshop()
    await shop.discovery.find(network([old.port]))
    expect(old.seen.map(({ verb, method, session }) => [verb, method, session])).toEqual([
      ['POST', 'server/discover', undefined],
      ['POST', 'initialize', undefined],
      ['DELETE', '', 's-1'],
    ])
  })

  test('the gateway does not find itself', async () => {
    await using self = await httpServer(modern('metamcp'))
    using shop = workshop()
    expect(await shop.discovery.find(network([self.port]))).toMatchObject([
      { refused: 'It is a MetaMCP gateway, perhaps this one' },
    ])
  })

  test('hosts that the rules refuse are not asked', async () => {
    await using server = await httpServer(modern('inside'))
    using shop = workshop({ isLoopbackOnly: false })
    const found = await shop.discovery.find(network([server.port], ['127.0.0.1', '10.0.0.1']))
    expect(found.map(({ refused }) => refused)).toEqual([
      expect.stringContaining('not public'),
      expect.stringContaining('not public'),
    ])
    expect(server.seen).toEqual([])
  })

  test('a redirect is not followed', async () => {
    await using target = await httpServer(modern('target'))
    await using door = await httpServer((_body, _request, response) => {
      response.writeHead(307, { location: `${target.url}/mcp` }).end()
    })
    using shop = workshop()
    expect(await shop.discovery.find(network([door.port]))).toEqual([])
    expect(target.seen).toEqual([])
  })

  test('no more than 16 places are asked at once', async () => {
    const waiting: ServerResponse[] = []
    await using slow = await httpServer((_body, _request, response) => {
      waiting.push(response)
    })
    using shop = workshop()
    const ending = new AbortController()
    // One place forty times: what counts is how many questions wait.
    const finding = shop.discovery.find(network(Array<number>(40).fill(slow.port)), { signal: ending.signal })
    await until('16 questions wait', () => waiting.length === 16)
    ending.abort()
    await finding
    expect(waiting).toHaveLength(16)
  })
})
