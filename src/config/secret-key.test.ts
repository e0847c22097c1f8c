import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ConfigError } from './problems.ts'
import { keyRing, secretKey } from './secret-key.ts'
import { createSecret } from './secret.ts'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'metamcp-key-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

test('the key is made once, readable by its owner alone, and the same after a restart', async () => {
  const nested = join(dataDir, 'new')
  const key = await secretKey({ dataDir: nested })
  expect(key.length).toBeGreaterThanOrEqual(32)
  expect(statSync(join(nested, 'secret.key')).mode & 0o777).toBe(0o600)
  expect(statSync(nested).mode & 0o777).toBe(0o700)
  expect(await secretKey({ dataDir: nested })).toEqual(key)
})

test('gateways that start at once agree on one key and leave nothing else behind', async () => {
  const starts = Array.from({ length: 40 }, async (_, index) => {
    await setTimeout(index / 4)
    return secretKey({ dataDir })
  })
  const keys = await Promise.all(starts)
  expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1)
  expect(readdirSync(dataDir)).toEqual(['secret.key'])
})

test('a configured key is used and nothing is written', async () => {
  const key = 'k9Zq-4vXw2Lm7Tb1Yc6Rd8Pf3Hs5Ja0Ne'
  expect(await secretKey({ dataDir, secretKey: createSecret(key) })).toEqual(Buffer.from(key))
  expect(readdirSync(dataDir)).toEqual([])
})

test('a key that every user of the machine can read is refused', async () => {
  await secretKey({ dataDir })
  chmodSync(join(dataDir, 'secret.key'), 0o644)
  await expect(secretKey({ dataDir })).rejects.toThrow(/every user of this machine/)
})

test('a damaged key is refused instead of replaced: what it sealed would be lost silently', async () => {
  writeFileSync(join(dataDir, 'secret.key'), '', { mode: 0o600 })
  await expect(secretKey({ dataDir })).rejects.toBeInstanceOf(ConfigError)
})

test('a new key goes before the others; what the run began with stays until a later run rotates', async () => {
  const [first] = (await keyRing({ dataDir })).keys
  const once = await (await keyRing({ dataDir })).rotate?.()
  const [second, ...older] = once!.ring.keys
  expect(older).toEqual([first])
  expect((await keyRing({ dataDir })).keys).toEqual([second, first])
  const twice = await once!.ring.rotate?.()
  const [third] = twice!.ring.keys
  await twice!.done()
  expect((await keyRing({ dataDir })).keys).toEqual([third, second, first])
  const later = await (await keyRing({ dataDir })).rotate?.()
  const [fourth] = later!.ring.keys
  expect((await keyRing({ dataDir })).keys).toEqual([fourth, third, second, first])
  await later!.done()
  expect((await keyRing({ dataDir })).keys).toEqual([fourth, third])
  expect(statSync(join(dataDir, 'secret.key')).mode & 0o777).toBe(0o600)
  expect(readdirSync(dataDir)).toEqual(['secret.key'])
})

test('keys that are settings are rotated by their owner', async () => {
  const keys = ['k9Zq-4vXw2Lm7Tb1Yc6Rd8Pf3Hs5Ja0Ne', 'Zq8-3uWv1Kl6Sa0Xb5Qc7Oe2Gr4Iz9Md-x']
  const [secret, previous] = keys.map(createSecret)
  const ring = await keyRing({ dataDir, secretKey: secret!, previousSecretKeys: [previous!] })
  expect(ring.keys).toEqual(keys.map((key) => Buffer.from(key)))
  expect(ring.rotate).toBeUndefined()
})
