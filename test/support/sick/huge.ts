import { once } from 'node:events'
import { serveTools, text } from './mini-server.ts'

const CHUNK = Buffer.alloc(1024 * 1024, 'x')

async function pour(megabytes: number): Promise<void> {
  process.stdout.write('{"jsonrpc":"2.0","id":0,"result":{"content":[{"type":"text","text":"')
  for (let sent = 0; sent < megabytes; sent += 1) if (!process.stdout.write(CHUNK)) await once(process.stdout, 'drain')
  process.stdout.write('"}]}}\n')
}

serveTools({
  echo: ({ said }) => text(String(said)),
  huge: async ({ megabytes }) => {
    await pour(Number(megabytes))
    return text('sent')
  },
})
