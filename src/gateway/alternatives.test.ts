import { describe, expect, test } from 'vitest'
import { httpToolDraft, openTestRegistry } from '../../test/support/test-registry.ts'
import { everything, testCall } from '../../test/support/test-call.ts'
import { createAlternatives } from './alternatives.ts'

describe('R080 who is refused by an open breaker is told what could do instead', () => {
  test('tools of other servers with the same original name or category, that are up, five at most', async () => {
    await using t = await openTestRegistry()
    for (const name of ['one', 'two', 'down']) await t.add(name, ['read', 'write'])
    await t.registry.httpTools.register(httpToolDraft('reader', { category: 'reading' }))
    await t.registry.overrideTool('one__read', { category: 'reading' })
    const alternatives = createAlternatives({
      views: everything(t.registry.catalog),
      isUp: ({ server }) => server !== 'down',
    })
    expect(alternatives(testCall({ name: 'one__read' })).toSorted()).toEqual(['reader', 'two__read'])
    expect(alternatives(testCall({ name: 'reader' }))).toEqual(['one__read'])
    expect(alternatives(testCall({ name: 'one__write' }))).toEqual(['two__write'])
    for (let n = 0; n < 9; n += 1) await t.add(`more${n}`, ['write'])
    expect(alternatives(testCall({ name: 'one__write' }))).toHaveLength(5)
  })

  test('never what the caller may not see, and nothing for what is no tool', async () => {
    await using t = await openTestRegistry()
    await t.add('one', ['read'])
    await t.add('two', ['read'])
    await t.registry.namespaces.register({
      name: 'narrow',
      servers: ['one'],
      include: [],
      exclude: [],
      expose: 'all',
      overrides: {},
    })
    const alternatives = createAlternatives({ views: everything(t.registry.catalog), isUp: () => true })
    expect(alternatives(testCall({ name: 'one__read' }))).toEqual(['two__read'])
    expect(alternatives(testCall({ name: 'one__read', namespace: 'narrow' }))).toEqual([])
    expect(alternatives(testCall({ name: 'one__read', kind: 'prompt' }))).toEqual([])
    expect(alternatives(testCall({ name: 'nothing' }))).toEqual([])
  })
})
