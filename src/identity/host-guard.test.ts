import { expect, test } from 'vitest'
import { createHostGuard } from './host-guard.ts'

const guard = createHostGuard({
  allowedHosts: ['Gateway.example', 'exact.example:8443'],
  allowedOrigins: ['https://app.example', 'http://dev.example:3000'],
})
const isWelcome = (host: string | undefined, origin?: string) =>
  guard({ headers: { ...(host === undefined ? {} : { host }), ...(origin === undefined ? {} : { origin }) } }) ===
  undefined

const HOSTS = [
  'localhost',
  'LOCALHOST',
  'localhost:1',
  'localhost:65535',
  '127.0.0.1',
  '127.0.0.1:8000',
  '[::1]',
  '[::1]:8000',
].concat(['gateway.example', 'GATEWAY.EXAMPLE:443', 'exact.example:8443'])
const FOREIGN_HOSTS = [
  undefined,
  '',
  ' ',
  'evil.example',
  'evil.example:8000',
  'localhost.evil.example',
  'evil-localhost',
]
  .concat([
    '127.0.0.1.evil.example',
    '127.0.0.1.nip.io',
    'localhost.',
    '127.0.0.1.',
    '128.0.0.1',
    '10.0.0.1',
    '0.0.0.0',
    '::1',
  ])
  .concat([
    '[::]',
    '[::2]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::1',
    '::1]',
    '[::1%25lo]',
    '2130706433',
    '0x7f000001',
  ])
  .concat([
    '127.1',
    '0177.0.0.1',
    '127.0.0.1@evil.example',
    'evil.example@127.0.0.1',
    'localhost:',
    'localhost:x',
    'localhost:123456',
  ])
  .concat([
    'localhost:80:80',
    'localhost/evil',
    'localhost\\evil',
    'localhost evil',
    'localhost,evil',
    'localhost#',
    'ｌocalhost',
  ])
  .concat([
    'http://localhost',
    'exact.example',
    'sub.gateway.example',
    'gateway.example.evil',
    'localhost\tx',
    '*',
    '__proto__',
  ])

test.each(HOSTS)('R005 the host %j is ours', (host) => {
  expect(isWelcome(host)).toBe(true)
  expect(isWelcome(host)).toBe(true)
})
test.each(FOREIGN_HOSTS)('R005 the host %j is not', (host) => {
  expect(isWelcome(host)).toBe(false)
  expect(isWelcome(host, 'http://localhost')).toBe(false)
})

const ORIGINS = [
  'http://localhost',
  'https://localhost:3000',
  'http://127.0.0.1:5173',
  'http://[::1]:80',
  'HTTP://LOCALHOST',
].concat(['https://app.example', 'http://dev.example:3000', 'https://gateway.example'])
const FOREIGN_ORIGINS = [
  'null',
  '',
  'http://evil.example',
  'http://localhost.evil.example',
  'https://app.example:444',
  'http://app.example',
]
  .concat([
    'http://dev.example',
    'https://sub.app.example',
    'https://app.example.evil',
    'file://',
    'file:///etc',
    'chrome-extension://x',
  ])
  .concat([
    'http://localhost/',
    'http://localhost/x',
    'http://user@localhost',
    'http://localhost@evil.example',
    'localhost',
    '*',
  ])
  .concat([
    'http://localhost, http://evil.example',
    'http://localhost http://evil.example',
    'ws://localhost',
    'javascript:1',
  ])

test.each(ORIGINS)('R005 the origin %j is welcome', (origin) => expect(isWelcome('localhost', origin)).toBe(true))
test.each(FOREIGN_ORIGINS)('R005 the origin %j is not', (origin) => expect(isWelcome('localhost', origin)).toBe(false))

test('R005 what was welcome once does not make others so, however many come', () => {
  for (let port = 1; port < 3000; port += 1) isWelcome(`localhost:${port}`)
  expect(isWelcome('localhost:3001')).toBe(true)
  expect(isWelcome('evil.example:1')).toBe(false)
})
