import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { createForwarding } from './forwarding.ts'

type Carried = Pick<IncomingMessage, 'headers' | 'socket'>

const from = (remoteAddress: string, headers: Record<string, string> = {}, encrypted = false): Carried =>
  ({ headers, socket: { remoteAddress, encrypted } }) as unknown as Carried

describe('N8 whom a request comes from', () => {
  const behind = createForwarding(['10.0.0.0/8', '::1'])
  test.each<[peer: string, header: string, address: string]>([
    ['203.0.113.9', '1.2.3.4', '203.0.113.9'],
    ['10.0.0.1', '1.2.3.4', '1.2.3.4'],
    ['::ffff:10.0.0.1', '1.2.3.4', '1.2.3.4'],
    ['::1', '2001:db8::7', '2001:db8::7'],
    ['10.0.0.1', '6.6.6.6, 1.2.3.4, 10.9.9.9', '1.2.3.4'],
    ['10.0.0.1', '6.6.6.6,1.2.3.4:5678', '1.2.3.4'],
    ['10.0.0.1', '[2001:db8::7]:443', '2001:db8::7'],
    ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['10.0.0.1', '1.2.3.4, unknown', '10.0.0.1'],
    ['10.0.0.1', '1.2.3.4, evil, 10.0.0.2', '10.0.0.2'],
    ['10.0.0.1', '', '10.0.0.1'],
  ])('of %s with X-Forwarded-For %j is %s', (peer, header, address) => {
    expect(behind.addressOf(from(peer, { 'x-forwarded-for': header }))).toBe(address)
  })

  test('is the peer where no proxy is trusted', () => {
    const alone = createForwarding([])
    expect(alone.addressOf(from('10.0.0.1', { 'x-forwarded-for': '1.2.3.4' }))).toBe('10.0.0.1')
    expect(alone.isSecure(from('10.0.0.1', { 'x-forwarded-proto': 'https' }))).toBe(false)
  })

  test('came over TLS when we see it, or when a trusted proxy says so of its own caller', () => {
    expect(behind.isSecure(from('203.0.113.9', {}, true))).toBe(true)
    expect(behind.isSecure(from('10.0.0.1', { 'x-forwarded-proto': 'https' }))).toBe(true)
    expect(behind.isSecure(from('10.0.0.1', { 'x-forwarded-proto': 'https, http' }))).toBe(false)
    expect(behind.isSecure(from('203.0.113.9', { 'x-forwarded-proto': 'https' }))).toBe(false)
  })
})
