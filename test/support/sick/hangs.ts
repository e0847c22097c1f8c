// Reads and never answers, and does not end when it is asked to.
process.on('SIGTERM', () => {})
process.stdin.resume()
setInterval(() => {}, 60_000)
