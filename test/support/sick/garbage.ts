// Prints what is no message, binary and half messages among it, and never answers.
process.stdin.resume()
setInterval(() => {
  process.stdout.write(Buffer.from([0, 255, 254, 10, 123, 10, 91, 10]))
  process.stdout.write('=== Welcome! ===\n{"jsonrpc":"2.0","id":1\n[1,2\n{"jsonrpc":"1.0"}\nnull\n')
  process.stdout.write(`${'noise '.repeat(2000)}\n`)
}, 5)
