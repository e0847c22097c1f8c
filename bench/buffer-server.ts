// What the bytes of a list cost by themselves: node:http writes them from one Buffer. node bench/buffer-server.ts FILE; prints its port.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createEcho } from './echo.ts'

/** The `result` of tools/list as the gateway writes it. */
const result = readFileSync(process.argv[2] ?? '')
const echo = createEcho('buffer', 1)

const server = createServer({ keepAliveTimeout: 120_000, noDelay: true }, (request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const message = JSON.parse(Buffer.concat(chunks).toString()) as { id?: number; method?: string }
    if (message.method !== 'tools/list') {
      const reply = echo(message)
      response
        .writeHead(reply === undefined ? 202 : 200, { 'content-length': Buffer.byteLength(reply ?? '') })
        .end(reply)
      return
    }
    const head = `{"jsonrpc":"2.0","id":${message.id},"result":`
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': head.length + result.length + 1 })
    response.write(head)
    response.write(result)
    response.end('}')
  })
})
server.listen(0, '127.0.0.1', 4096, () => console.log((server.address() as AddressInfo).port))
