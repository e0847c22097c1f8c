// Has a child of its own, and a daemon that left the process group (setsid, and its parent is gone).
import { spawn } from 'node:child_process'
import { serveTools, text } from './mini-server.ts'

const FOREVER = ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 60000)']

const child = spawn(process.execPath, FOREVER, { stdio: 'ignore' })
const middle = spawn(
  process.execPath,
  [
    '-e',
    `const daemon = require('node:child_process').spawn(process.execPath, ${JSON.stringify(FOREVER)}, { detached: true, stdio: 'ignore' })
     console.log(daemon.pid)
     daemon.unref()`,
  ],
  { stdio: ['ignore', 'pipe', 'ignore'] },
)
const daemon = await new Promise<string>((resolve) => {
  middle.stdout.once('data', (pid: Buffer) => resolve(pid.toString().trim()))
})

serveTools({ family: () => text(JSON.stringify({ self: process.pid, child: child.pid, daemon: Number(daemon) })) })
