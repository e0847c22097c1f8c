#!/usr/bin/env node
import { existsSync } from 'node:fs'

// Without a word V8 lets the young part of the heap grow to 128 MB, and the old one to several times of what is alive, before
// it collects: more than all the rest of a gateway. `gc` is for telemetry/idle-garbage.ts.
const HEAP = ['--max-semi-space-size=8', '--heap-growing-percent=80', '--expose-gc']
// What V8's compiler has finished with goes back to the system; glibc would keep 10 MB of it, in an arena for each thread.
const MALLOC = { MALLOC_MMAP_THRESHOLD_: '32768', MALLOC_TRIM_THRESHOLD_: '65536' }
const isGateway = process.argv[2] === 'serve' || process.argv[2] === 'stdio'

// Plain JavaScript that every Node can parse: an old one gets a sentence instead of a syntax error.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 12)) {
  process.stderr.write(
    `metamcp needs Node.js 24.12 or later and this is ${process.versions.node}; "npm start" and "npm run metamcp --" bring their own\n`,
  )
  process.exitCode = 1
} else if (!existsSync(new URL('../dist/main.js', import.meta.url))) {
  process.stderr.write('metamcp is not built yet; run "npm run build" first ("npm start" does it by itself)\n')
  process.exitCode = 1
} else {
  // The flags count only from the start. Windows cannot replace a process and does without.
  if (
    isGateway &&
    process.platform !== 'win32' &&
    !process.execArgv.some((flag) => flag.startsWith('--max-semi-space'))
  ) {
    process.execve(process.execPath, [process.execPath, ...HEAP, ...process.execArgv, ...process.argv.slice(1)], {
      ...MALLOC,
      ...process.env,
    })
  }
  await import('../dist/main.js')
}
