import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { ERROR_CODES } from './error-codes.ts'

test('the reference of errors says what the catalogue says, no code more and none less', async () => {
  const page = await readFile(new URL('../../docs/reference/errors.md', import.meta.url), 'utf8')
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
  const catalogue = Object.entries(ERROR_CODES).map(([code, { status, rpcCode, retryable, meaning }]) => [
    '',
    `\`${code}\``,
    String(status),
    String(rpcCode),
    retryable ? 'yes' : 'no',
    meaning,
    '',
  ])
  expect(rows).toEqual(catalogue)
})

test('codes of our own stay clear of the range that JSON-RPC reserves', () => {
  const reserved = new Set([-32_700, -32_600, -32_601, -32_602, -32_603])
  for (const [code, { rpcCode, status }] of Object.entries(ERROR_CODES)) {
    const isFree = rpcCode > -32_000 || rpcCode < -32_768
    // MCP itself gives -32021 its meaning: the client lacks a capability.
    expect({ code, isClear: isFree || reserved.has(rpcCode) || rpcCode === -32_021 }).toEqual({ code, isClear: true })
    expect(status).toBeGreaterThanOrEqual(400)
  }
})
