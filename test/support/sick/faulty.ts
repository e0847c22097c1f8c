// Does what the file of its first argument says, at its start and at each call.
import { appendFileSync, readFileSync } from 'node:fs'
import { serveTools, say, text } from './mini-server.ts'

const [, , moodFile = '', startsFile = ''] = process.argv
const mood = (): string => readFileSync(moodFile, 'utf8')
const HUGE = 'x'.repeat(2 * 1024 * 1024)

appendFileSync(startsFile, 'start\n')
if (mood() === 'crash-at-start') process.exit(3)
if (mood() === 'exit-at-start') process.exit(0)

const never = new Promise<Record<string, unknown>>(() => {})
const line = (written: string): void => void process.stdout.write(`${written}\n`)

function misbehave(): Record<string, unknown> | Promise<Record<string, unknown>> {
  switch (mood()) {
    case 'crash':
      return process.exit(3)
    case 'exit-0':
      return process.exit(0)
    case 'kill -9':
      process.kill(process.pid, 'SIGKILL')
      return never
    case 'black-hole':
      return never
    case 'hang':
      // Neither reads nor writes for a while.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500)
      return never
    case 'drip':
      setInterval(() => process.stdout.write(' '), 20)
      return never
    case 'cut-json':
      line('{"jsonrpc":"2.0","id":1,"result":{"content"')
      return never
    case 'wrong-id':
      say({ id: 987_654, result: text('worked') })
      return never
    case 'twice':
      // Both have ids that were answered: ids begin with 1.
      say({ id: 1, result: text('old') })
      return text('worked')
    case 'garbage':
      for (let n = 0; n < 1000; n += 1) line(`what I think ${n}`)
      return text('worked')
    case 'stderr-flood':
      for (let n = 0; n < 50; n += 1) process.stderr.write(`${'e'.repeat(100_000)}\n`)
      return text('worked')
    case 'no-newline':
      process.stdout.write(HUGE)
      return never
    case 'huge':
      return text(HUGE)
    case 'list-changed-storm':
      for (let n = 0; n < 1000; n += 1) say({ method: 'notifications/tools/list_changed' })
      return text('worked')
    default:
      return text('worked')
  }
}

serveTools({ work: misbehave })
