import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { httpRequest } from '../support/http-request.ts'
import { newDirectory, startTestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const FILES = join(import.meta.dirname, '../support/tls-listener')
const pem = (name: string): Buffer => readFileSync(join(FILES, name))
const TRUST = { ca: pem('ca.pem') }

/** The files as an operator keeps them: git does not know the mode. */
async function placeFiles() {
  const directory = await newDirectory()
  const path = (name: string): string => join(directory.path, name)
  for (const name of ['ca.pem', 'server.pem', 'server-key.pem', 'client.pem', 'client-key.pem']) {
    copyFileSync(join(FILES, name), path(name))
    chmodSync(path(name), 0o600)
  }
  const env = { META_MCP_TLS_CERT_FILE: path('server.pem'), META_MCP_TLS_KEY_FILE: path('server-key.pem') }
  return { path, env, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() }
}

describe('R293, N9 a listener with TLS', () => {
  test('answers REST and MCP over TLS 1.2 and 1.3, nothing older, and nobody in the clear', async () => {
    await using files = await placeFiles()
    await using app = await startTestApp({ env: files.env })
    const { url, mcp } = app.listening
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const only = { ...TRUST, minVersion: version, maxVersion: version }
      expect((await httpRequest(`${url}/api/v1/health`, only)).status).toBe(200)
      expect((await httpRequest(mcp, { ...only, method: 'PUT' })).status).toBe(405)
    }
    // Else OpenSSL on this side would not even try.
    const old = { ...TRUST, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    await expect(httpRequest(`${url}/api/v1/health`, old)).rejects.toThrow(/alert protocol version/)
    await expect(httpRequest(`${url}/api/v1/health`)).rejects.toThrow(/certificate/)
    await expect(httpRequest(url.replace('https', 'http'))).rejects.toThrow()
    expect(app.log.join('')).not.toContain('LISTENING WITHOUT TLS')
  })

  test('ends although somebody has connected and not yet said a word', async () => {
    await using files = await placeFiles()
    await using app = await startTestApp({ env: files.env })
    const silent = connectPlain(Number(new URL(app.listening.url).port), '127.0.0.1')
    silent.on('error', () => undefined)
    await once(silent, 'connect')
    await app.app.close()
    await until('its connection is ended', () => silent.destroyed || silent.readableEnded)
  })

  test('answers calls on the socket itself, too, one after the other on one connection', async () => {
    await using files = await placeFiles()
    await using app = await startTestApp({ env: files.env })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const headers = { 'content-type': 'application/json', accept: 'application/json', connection: 'keep-alive' }
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'tls', version: '1' } }
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })
    for (let n = 0; n < 3; n += 1) {
      const reply = await httpRequest(app.listening.mcp, { ...TRUST, agent, method: 'POST', headers, body })
      expect([reply.status, reply.headers['strict-transport-security'] === undefined]).toEqual([200, false])
    }
    const rest = await httpRequest(`${app.listening.url}/api/v1/health`, { ...TRUST, agent })
    expect(rest.status).toBe(200)
    agent.destroy()
  })

  test('with an authority for clients lets in only those with a certificate of it, beside their credential', async () => {
    await using files = await placeFiles()
    const env = { ...files.env, META_MCP_TLS_CLIENT_CA_FILE: files.path('ca.pem'), META_MCP_ANONYMOUS_ROLE: 'none' }
    await using app = await startTestApp({ env })
    const url = `${app.listening.url}/api/v1/tools`
    await expect(httpRequest(url, TRUST)).rejects.toThrow()
    const known = { ...TRUST, cert: pem('client.pem'), key: pem('client-key.pem') }
    expect((await httpRequest(url, known)).status).toBe(401)
    expect((await httpRequest(`${app.listening.url}/api/v1/health`, known)).status).toBe(200)
  })

  test('does not start with files that are missing, broken, of different pairs, or open to everybody', async () => {
    await using files = await placeFiles()
    const start = (env: Record<string, string>) => startTestApp({ env: { ...files.env, ...env } })
    const other = { META_MCP_TLS_KEY_FILE: files.path('client-key.pem') }
    await expect(start(other)).rejects.toThrow(/client-key\.pem: is not the key of .*server\.pem/)
    await expect(start({ META_MCP_TLS_CERT_FILE: files.path('none.pem') })).rejects.toThrow(/none\.pem: cannot be read/)
    const broken = { META_MCP_TLS_CERT_FILE: files.path('server-key.pem') }
    await expect(start(broken)).rejects.toThrow(/server-key\.pem: is not what it should be/)
    chmodSync(files.path('server-key.pem'), 0o644)
    await expect(start({})).rejects.toThrow(/can be read by every user/)
    rmSync(files.path('server-key.pem'))
    await expect(start({})).rejects.toThrow(/server-key\.pem: cannot be read/)
    const half = { META_MCP_TLS_CERT_FILE: files.path('server.pem') }
    await expect(startTestApp({ env: half })).rejects.toThrow(/needs META_MCP_TLS_KEY_FILE beside it/)
  })

  /** A renewal every few weeks must not cost the sessions and calls of everybody, and a botched one must not end the gateway. */
  test('takes a renewed certificate from disk or when told to, without ending connections; a bad one changes nothing', async () => {
    await using files = await placeFiles()
    await using app = await startTestApp({ env: files.env })
    const url = `${app.listening.url}/api/v1/health`
    const trust = { ca: [pem('ca.pem'), pem('renewed.pem')] }
    const fingerprintOf = (name: string) => new X509Certificate(pem(name)).fingerprint256
    const shown = async (): Promise<string> => {
      const { port } = new URL(url)
      const socket = connect({ port: Number(port), host: '127.0.0.1', ...trust })
      await once(socket, 'secureConnect')
      const fingerprint = socket.getPeerX509Certificate()?.fingerprint256 ?? ''
      socket.destroy()
      return fingerprint
    }
    const told = (phrase: string) => app.log.filter((line) => line.includes(phrase)).length
    const place = (name: string, as: string): void => writeFileSync(files.path(as), pem(name))
    const kept = new Agent({ ...trust, keepAlive: true, maxSockets: 1 })
    const sockets = new Set<unknown>()
    kept.on('free', (socket: TLSSocket) => sockets.add(socket))
    const askKept = async () => (await httpRequest(url, { agent: kept })).status

    expect([await askKept(), await shown()]).toEqual([200, fingerprintOf('server.pem')])
    place('renewed.pem', 'server.pem')
    await until('a certificate without its key is refused', () => told('TLS files rejected') > 0)
    expect(await shown()).toBe(fingerprintOf('server.pem'))
    place('renewed-key.pem', 'server-key.pem')
    await until('the renewed one is shown', async () => (await shown()) === fingerprintOf('renewed.pem'))
    expect(await askKept()).toBe(200)
    expect(sockets.size).toBe(1)

    place('ca.pem', 'server-key.pem')
    await until('what is no key is refused', () => told('is not what it should be in PEM') > 0)
    expect([await shown(), await askKept()]).toEqual([fingerprintOf('renewed.pem'), 200])
    place('server.pem', 'server.pem')
    place('server-key.pem', 'server-key.pem')
    app.app.reload()
    await until('the first one is back', async () => (await shown()) === fingerprintOf('server.pem'))
    kept.destroy()
  })

  test('tells browsers to come over TLS from now on, on every surface, and not those that came to localhost', async () => {
    await using files = await placeFiles()
    await using app = await startTestApp({ env: { ...files.env, META_MCP_ALLOWED_HOSTS: 'tools.example' } })
    const { url } = app.listening
    const hsts = async (path: string, host: string) =>
      (await httpRequest(url + path, { ...TRUST, servername: 'localhost', headers: { host } })).headers[
        'strict-transport-security'
      ]
    for (const path of ['/api/v1/health', '/api/v1/none', '/mcp', '/oauth/none', '/docs'])
      expect([path, await hsts(path, 'tools.example')]).toEqual([path, 'max-age=31536000'])
    expect(await hsts('/api/v1/health', 'localhost:8443')).toBeUndefined()
    await using plain = await startTestApp({})
    expect((await fetch(plain.listening.url)).headers.get('strict-transport-security')).toBeNull()
  })
})
