import { describe, expect, test } from 'vitest'
import type { JsonObject } from '#kernel/json'
import { callResult, routedCall } from '../../test/support/test-call.ts'
import { readKept } from './kept-text.ts'
import { keepOf } from './result-cache.ts'
import { resultKey } from './result-key.ts'

const TARGET = { rule: { ttlMs: 60_000, staleWhileRevalidateMs: 1000, staleIfErrorMs: 5000 }, revision: 'r1' }
const keep = (value: JsonObject, target: Parameters<typeof keepOf>[1] = TARGET) =>
  keepOf(callResult(JSON.stringify(value)), target, 300_000)?.retention

describe('how long a result is kept', () => {
  test('is what the rule says, else the settings', () => {
    expect(keep({ content: [] })).toEqual({ freshMs: 60_000, staleMs: 1000, spareMs: 4000 })
    expect(keep({ content: [] }, { rule: {}, revision: 'r' })).toEqual({ freshMs: 300_000, staleMs: 0, spareMs: 0 })
  })

  /** R281: what a server allows is an upper bound; what is no legal hint says nothing. */
  test('is never longer than the server allows', () => {
    expect(keep({ resultType: 'complete', ttlMs: 5000, cacheScope: 'public' })).toMatchObject({ freshMs: 5000 })
    expect(keep({ ttlMs: 600_000 })).toMatchObject({ freshMs: 60_000 })
    expect(keep({ ttlMs: 0 })).toBeUndefined()
    for (const ttlMs of [-1, 1.5, '10', null, [1]]) expect(keep({ ttlMs })).toMatchObject({ freshMs: 60_000 })
  })

  test('is not at all for a failure, a task or a question', () => {
    for (const value of [
      { isError: true },
      { task: { taskId: 't' } },
      { resultType: 'input_required' },
      { resultType: 'x' },
    ])
      expect(keep(value)).toBeUndefined()
  })
})

const keyOf = (paramsText: string, more: Partial<ReturnType<typeof routedCall>> = {}, revision = 'r1') => {
  const call = routedCall({ paramsText, params: JSON.parse(paramsText) as JsonObject })
  return resultKey({ ...call, ...more }, { rule: {}, revision })
}

describe('the key of a result', () => {
  const PLAIN = '{"name":"files__read","arguments":{"a":1}}'

  test('is another for another caller, namespace, revision or argument, and for nothing else', () => {
    const bob = { ...routedCall().principal, id: 'bob' }
    const others = [
      keyOf(PLAIN),
      keyOf(PLAIN, { principal: bob }),
      keyOf(PLAIN, { namespace: 'dev' }),
      keyOf(PLAIN, {}, 'r2'),
      keyOf('{"name":"files__read","arguments":{"a":2}}'),
      keyOf('{"name":"files__read"}'),
      keyOf('{"name":"files__read","arguments":{"a":1},"extra":1}'),
      keyOf('{"name":"files__read","arguments":{"a":1},"_meta":{"example.com/tenant":"x"}}'),
    ]
    expect(new Set(others).size).toBe(others.length)
    for (const same of [
      '{"arguments":{"a":1},"name":"files__read"}',
      '{"name":"files__read","arguments":{"a":1},"_meta":{"progressToken":7,"traceparent":"00-1-2-01"}}',
      '{"name":"files__read","arguments":{"a":1},"_meta":{"io.modelcontextprotocol/clientInfo":{"name":"x"}}}',
    ])
      expect(keyOf(same)).toBe(keyOf(PLAIN))
  })

  test('is none for what belongs to one call, and for params that are huge', () => {
    for (const member of ['"task":{}', '"inputResponses":{}', '"requestState":"x"'])
      expect(keyOf(`{"name":"files__read",${member}}`)).toBeUndefined()
    expect(keyOf(`{"name":"files__read","arguments":{"a":"${'x'.repeat(70_000)}"}}`)).toBeUndefined()
  })
})

/** R171: Redis is shared with gateways of other versions, and with whoever can write there. */
test('what another gateway kept is taken only where it is a result with its times', () => {
  const value = { text: '{"content":[]}', server: 'files', era: 'legacy' }
  const kept = { value, storedAt: 1, freshUntil: 2, staleUntil: 3, spareUntil: 4 }
  expect(readKept(JSON.stringify(kept))).toEqual(kept)
  const broken = [
    { ...kept, freshUntil: '2' },
    { ...kept, value: { ...value, text: '[]' } },
    { ...kept, value: { ...value, text: 'no JSON' } },
    { ...kept, value: { ...value, era: 'future' } },
    { ...kept, value: undefined },
    [],
  ]
  for (const each of broken) expect(() => readKept(JSON.stringify(each))).toThrow()
})
