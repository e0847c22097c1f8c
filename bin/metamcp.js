#!/usr/bin/env node
import { existsSync } from 'node:fs'

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
  await import('../dist/main.js')
}
