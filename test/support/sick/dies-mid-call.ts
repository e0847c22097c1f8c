import { serveTools, text } from './mini-server.ts'

serveTools({
  die: () => process.exit(3),
  hang: () => new Promise(() => {}),
  work: () => text('worked'),
  // The whole answer is in the pipe when the process goes.
  answer_and_die: () => {
    setImmediate(() => process.stdout.write('\n', () => process.exit(0)))
    return text('x'.repeat(200_000))
  },
})
