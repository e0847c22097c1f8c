import { setTimeout as delay } from 'node:timers/promises'
import { serveTools, text } from './mini-server.ts'

serveTools({
  echo: ({ said }) => text(String(said)),
  pid: () => text(String(process.pid)),
  slow: async ({ ms }) => {
    await delay(Number(ms))
    return text(`slept ${String(ms)}`)
  },
})
