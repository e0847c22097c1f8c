import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '#kernel/logger'
import { META } from '#kernel/protocol'
import { createAdmission, type AdmissionOptions } from '#upstream/admission'
import { createDiscovery } from '#upstream/discovery'

const quiet: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** Directories on disk and a discovery that may look into one of them. */
export function workshop(more: Partial<AdmissionOptions> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'metamcp-discovery-'))
  const directory = join(root, 'config')
  mkdirSync(directory)
  const admission = createAdmission({
    egressAllow: [],
    isLoopbackOnly: true,
    stdioRegistration: 'auto',
    dataDir: root,
    ...more,
  })
  return {
    root,
    directory,
    discovery: createDiscovery({ allowedDirectories: [directory], admission, log: quiet, connectTimeoutMs: 1000 }),
    path: (name: string) => join(directory, name),
    write: (name: string, content: unknown) =>
      writeFileSync(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content)),
    [Symbol.dispose]: () => rmSync(root, { recursive: true }),
  }
}

export type Answer = (body: { method?: string }, request: IncomingMessage, response: ServerResponse) => void

/** A server on loopback that notes what it is asked. */
export async function httpServer(answer: Answer) {
  const seen: { method: string; verb: string; url: string; session: unknown }[] = []
  const server = createServer((request, response) => {
    void request.toArray().then((chunks: Buffer[]) => {
      const text = Buffer.concat(chunks).toString()
      const body = (text === '' ? {} : JSON.parse(text)) as { method?: string }
      const { method: verb = '', url = '', headers } = request
      seen.push({ method: body.method ?? '', verb, url, session: headers['mcp-session-id'] })
      answer(body, request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    seen,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export const json = (response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void => {
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
}

/** Answers `initialize` as a stream. */
export const legacy =
  (name: string): Answer =>
  ({ method }, _request, response) => {
    if (method !== 'initialize') return void response.writeHead(404).end()
    const result = { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name, version: '1' } }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'mcp-session-id': 's-1' })
    response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id: 1, result })}\n\n`)
  }

/** Answers `server/discover`. */
export const modern =
  (name: string): Answer =>
  ({ method }, _request, response) =>
    method === 'server/discover'
      ? json(response, {
          jsonrpc: '2.0',
          id: 1,
          result: { supportedVersions: ['2026-07-28'], capabilities: {}, _meta: { [META.serverInfo]: { name } } },
        })
      : void response.writeHead(404).end()
