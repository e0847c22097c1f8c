// The echo server over stdio: node bench/stdio-upstream.ts NAME TOOLS
import { createInterface } from 'node:readline'
import { createEcho } from './echo.ts'

const echo = createEcho(process.argv[2] ?? 'stdio', Number(process.argv[3] ?? 10))

createInterface({ input: process.stdin }).on('line', (line) => {
  const reply = echo(JSON.parse(line) as object)
  if (reply !== undefined) process.stdout.write(`${reply}\n`)
})
