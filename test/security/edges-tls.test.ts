import { chmodSync, copyFileSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { httpRequest } from '../support/http-request.ts'
import { newDirectory, startTestApp } from '../support/test-app.ts'

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
})
