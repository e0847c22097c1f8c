// Tells what a server of a gateway can see of it.
import { readdirSync, readlinkSync } from 'node:fs'
import { serveTools, text } from './mini-server.ts'

function descriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`]
    } catch {
      return []
    }
  })
}

serveTools({
  environment: () => text(JSON.stringify(process.env)),
  descriptors: () => text(JSON.stringify(descriptors())),
  arguments: (args) => text(JSON.stringify(args)),
  process: () => text(JSON.stringify({ pid: process.pid, argv: process.argv.slice(2), cwd: process.cwd() })),
})
