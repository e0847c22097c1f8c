import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createSealer } from '#kernel/seal'
import { freshStorage, storageEngines, type StorageEngine } from '../../test/support/storage-engines.ts'
import { createAdapters } from './adapter.ts'

const NOON = 1_800_000_000_000
const DAY_MS = 86_400_000
const SEALER = createSealer(Buffer.from('only-for-tests-0123456789-abcdefghijklmnop'))

async function openStage(engine: StorageEngine) {
  const storage = await freshStorage(engine)
  const clock = { now: NOON }
  const ended: string[] = []
  const adapters = createAdapters({
    store: storage.oauth,
    sealer: SEALER,
    refreshLifetimeMs: 14 * DAY_MS,
    now: () => clock.now,
    endGrant: async (grantId) => void ended.push(grantId),
    usedUp: () => new Error('used up'),
  })
  const { [Symbol.asyncDispose]: dispose } = storage
  return { storage, clock, ended, adapters, [Symbol.asyncDispose]: dispose }
}

for (const engine of storageEngines) {
  describe.skipIf(!engine.available)(`what the authorization server keeps on ${engine.name}`, () => {
    test('comes back as it went in until its time is over, and is pruned then', async () => {
      await using at = await openStage(engine)
      const codes = at.adapters('AuthorizationCode')
      const payload = {
        jti: 'secret-code',
        grantId: 'g',
        accountId: 'ann.0',
        scope: 'mcp:tools',
        kind: 'AuthorizationCode',
      }
      await codes.upsert('secret-code', payload, 60)
      expect(await codes.find('secret-code')).toEqual(payload)
      expect(await at.adapters('RefreshToken').find('secret-code')).toBeUndefined()
      at.clock.now += 60_000
      expect(await codes.find('secret-code')).toBeUndefined()
      expect(await at.storage.oauth.prune(at.clock.now + 1)).toBe(1)
    })

    test('shows neither what is secret nor what is sealed, and what was put elsewhere does not open', async () => {
      await using at = await openStage(engine)
      const { oauth } = at.storage
      const sessions = at.adapters('Session')
      await sessions.upsert('secret-session', { jti: 'secret-session', uid: 'u1', accountId: 'ann.0' }, 60)
      expect(await sessions.findByUid('u1')).toMatchObject({ jti: 'secret-session' })
      expect(await sessions.findByUid('u2')).toBeUndefined()
      await sessions.upsert('other', { jti: 'other', uid: 'u3' }, 60)
      const ids = ['secret-session', 'other'].map((name) => createHash('sha256').update(name).digest('base64url'))
      const [kept, other] = await Promise.all(ids.map((id) => oauth.find('Session', id, NOON)))
      expect(JSON.stringify(kept)).not.toMatch(/secret|ann/)
      if (!kept || !other) throw new Error('they are not there')
      await oauth.put({ ...kept, body: other.body })
      expect(await sessions.find('secret-session')).toBeUndefined()
    })

    test('is used up once: of many at the same time one gets it, and it stays used', async () => {
      await using at = await openStage(engine)
      const tokens = at.adapters('RefreshToken')
      await tokens.upsert('t', { jti: 't', grantId: 'g' }, 3600)
      const tries = await Promise.allSettled(Array.from({ length: 8 }, () => tokens.consume('t')))
      expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      expect(await tokens.find('t')).toMatchObject({ consumed: NOON / 1000 })
      await tokens.upsert('t', { jti: 't', grantId: 'g' }, 3600)
      expect(await tokens.find('t')).toMatchObject({ consumed: NOON / 1000 })
    })

    test('goes with its grant, and the access tokens of that end first', async () => {
      await using at = await openStage(engine)
      const tokens = at.adapters('RefreshToken')
      await tokens.upsert('mine', { jti: 'mine', grantId: 'g1' }, 3600)
      await tokens.upsert('other', { jti: 'other', grantId: 'g2' }, 3600)
      await at.adapters('AccessToken').revokeByGrantId('g1')
      await tokens.revokeByGrantId('g1')
      expect(at.ended).toEqual(['g1'])
      expect(await tokens.find('mine')).toBeUndefined()
      expect(await tokens.find('other')).toBeDefined()
    })

    test('O8 a client that nobody uses is gone after a day, one that was used 90 days after the last time', async () => {
      await using at = await openStage(engine)
      const clients = at.adapters('Client')
      for (const id of ['used', 'unused']) await clients.upsert(id, { client_id: id })
      await at.adapters('Grant').upsert('g', { jti: 'g', clientId: 'used' }, 365 * 86_400)
      at.clock.now += DAY_MS + 1
      expect(await clients.find('unused')).toBeUndefined()
      expect(await clients.find('used')).toBeDefined()
      at.clock.now += 12 * DAY_MS
      await at.adapters('RefreshToken').upsert('t', { jti: 't', clientId: 'used', grantId: 'g' }, 14 * 86_400)
      at.clock.now += 13 * DAY_MS
      expect(await at.adapters('Grant').find('g')).toBeDefined()
      at.clock.now += 76 * DAY_MS
      expect(await clients.find('used')).toBeDefined()
      expect(await at.adapters('Grant').find('g')).toBeUndefined()
      at.clock.now += 2 * DAY_MS
      expect(await clients.find('used')).toBeUndefined()
    })
  })
}
