// Tells what a server of a gateway can see of it.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
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

function attempt(read: () => unknown): unknown {
  try {
    return read()
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code
  }
}

serveTools({
  environment: () => text(JSON.stringify(process.env)),
  descriptors: () => text(JSON.stringify(descriptors())),
  arguments: (args) => text(JSON.stringify(args)),
  read: ({ path }) => text(JSON.stringify(attempt(() => readFileSync(String(path), 'utf8').length))),
  status: () => text(JSON.stringify(readFileSync('/proc/self/status', 'utf8'))),
  process: () => text(JSON.stringify({ pid: process.pid, argv: process.argv.slice(2), cwd: process.cwd() })),
})
