// Prints what it was told in confidence, as servers do that log their settings.
import { serveTools, text } from './mini-server.ts'

process.stderr.write(`started with ${JSON.stringify(process.env)} ${process.argv.slice(2).join(' ')}\n`)
serveTools({ ping: () => text('pong') })
