import { serveTools, text } from './mini-server.ts'

/** Tells what came beside the arguments, and fails when it is told to. */
serveTools({
  meta: (_args, meta) => text(JSON.stringify(meta ?? null)),
  fails: () => ({ ...text('no'), isError: true }),
})
