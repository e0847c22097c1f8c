#!/usr/bin/env node
// Plain JavaScript that every Node can parse: an old one gets a sentence instead of a syntax error.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 12)) {
  process.stderr.write(
    `metamcp needs Node.js 24.12 or later and this is ${process.versions.node}; "npm start" and "npm run metamcp --" bring their own\n`,
  )
  process.exitCode = 1
} else {
  await import('../dist/main.js')
}
