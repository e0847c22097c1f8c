import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Condition, Facts } from './condition.ts'
import { checkPermission, type WrittenPermission } from './permission.ts'
import { createPolicy } from './policy.ts'
import { BUILT_IN_ROLES, freed, roleOf } from './roles.ts'
import { toolFacts } from './tool-facts.ts'

const allowing = (...permissions: WrittenPermission[]) => roleOf({ name: 'r', permissions, deny: [] })
const careful = (...deny: WrittenPermission[]) => roleOf({ name: 'r', permissions: ['*:*'], deny })
const R = { roles: ['r'] }
const TOOL: Facts = {
  server: 'files',
  namespace: undefined,
  category: 'office',
  tags: ['slow', 'beta'],
  securityLevel: 3,
  readOnly: true,
  destructive: false,
}

function facts(annotations?: Record<string, unknown>) {
  const definition = annotations ? { annotations: annotations as never } : {}
  const { readOnly, destructive } = toolFacts({ server: 's', tags: [], securityLevel: 0, definition })
  return [readOnly, destructive]
}

/** R150, R152: what a condition asks of a thing decides about this thing alone. */
describe('R150, R152 a permission under a condition', () => {
  test.each<[when: Condition, facts: Facts, isMet: boolean]>([
    [{ maxSecurityLevel: 3 }, TOOL, true],
    [{ maxSecurityLevel: 2 }, TOOL, false],
    [{ minSecurityLevel: 3 }, TOOL, true],
    [{ minSecurityLevel: 4 }, TOOL, false],
    [{ categories: ['off*'] }, TOOL, true],
    [{ categories: ['home', 'garden'] }, TOOL, false],
    [{ tags: ['b*', 'c*'] }, TOOL, true],
    [{ tags: ['fast'] }, TOOL, false],
    [{ servers: ['files'] }, TOOL, true],
    [{ servers: ['FILES', 'mail*'] }, TOOL, false],
    [{ namespaces: ['*'] }, TOOL, false],
    [{ namespaces: ['dev*'] }, { ...TOOL, namespace: 'dev-2' }, true],
    [{ readOnly: true, destructive: false }, TOOL, true],
    [{ readOnly: false }, TOOL, false],
    [{ destructive: true }, TOOL, false],
    [{ maxSecurityLevel: 3, tags: ['fast'] }, TOOL, false],
    [{ maxSecurityLevel: 10 }, {}, false],
    [{ minSecurityLevel: 0 }, {}, false],
    [{ readOnly: false }, {}, false],
    [{ categories: ['*'] }, { ...TOOL, category: undefined }, false],
    [{ tags: ['*'] }, { ...TOOL, tags: [] }, false],
  ])('%j of %j: %s', (when, facts, isMet) => {
    const allow = createPolicy([allowing({ permission: 'tools:execute', when })])
    expect(allow.decide(R, 'tools:execute', 'files__read', facts).allowed).toBe(isMet)
    const deny = createPolicy([careful({ permission: 'tools:execute', when })])
    expect(deny.decide(R, 'tools:execute', 'files__read', facts).allowed).toBe(!isMet)
  })

  test('holds beside its pattern, opens the action as such, and is named by the rule', () => {
    const when = { maxSecurityLevel: 3, tags: ['beta', 'x*'] }
    const policy = createPolicy([allowing({ permission: 'tools:execute:files__*', when })])
    expect(policy.decide(R, 'tools:execute', 'mail__send', TOOL).allowed).toBe(false)
    expect(policy.decide(R, 'tools:execute').allowed).toBe(true)
    expect(policy.decide(R, 'tools:execute', 'files__x', TOOL).rule).toBe(
      'role r allows tools:execute:files__* when max_security_level 3 and tags beta|x*',
    )
    expect(createPolicy([careful({ permission: '*:*', when })]).decide(R, 'tools:execute').allowed).toBe(true)
  })

  test('what a tool says of itself: silence counts as able to destroy', () => {
    expect(facts()).toEqual([false, true])
    expect(facts({ readOnlyHint: true })).toEqual([true, false])
    expect(facts({ destructiveHint: false })).toEqual([false, false])
    expect(facts({ readOnlyHint: 'true', destructiveHint: 0 })).toEqual([false, true])
  })

  test('R151 a route is everybody’s whom its permission lets in, unless a role denies it', () => {
    const policy = createPolicy([careful('routes:use:DELETE *')])
    expect(policy.decide(R, 'routes:use', 'GET /api/v1/tools').allowed).toBe(true)
    expect(policy.decide(R, 'routes:use', 'DELETE /api/v1/tools/{name}')).toEqual({
      allowed: false,
      rule: 'role r denies routes:use:DELETE *',
    })
    const key = { ...R, permissions: ['tools:*', 'routes:use:GET *'] }
    expect(policy.decide(key, 'routes:use', 'POST /api/v1/tools').allowed).toBe(false)
    expect(policy.decide({ ...R, permissions: ['tools:*'] }, 'routes:use', 'GET /api/v1/tools').allowed).toBe(true)
  })
})

/** What limits nothing must not open everything. */
describe('R152 a permission for some things', () => {
  test.each(['executions:read:files__*', 'users:read:ann', 'audit:read:x', 'breakers:reset:files', '*:read:files__*'])(
    '%s opens no route about all of them, in a role or a key',
    (text) => {
      const action = text.startsWith('*') ? 'executions:read' : (text.split(':').slice(0, 2).join(':') as 'users:read')
      expect(createPolicy([allowing(text)]).decide(R, action).allowed).toBe(false)
      const key = { ...R, permissions: [text] }
      expect(createPolicy([allowing('*:*')]).decide(key, action).allowed).toBe(false)
      const when = { maxSecurityLevel: 3 }
      const conditional = { permission: text.split(':').slice(0, 2).join(':'), when }
      expect(createPolicy([allowing(conditional)]).decide(R, action).allowed).toBe(false)
    },
  )

  test('cannot be written where there are no names, and can where some have names', () => {
    expect(() => checkPermission('executions:read:files__*')).toThrow(/all or none/)
    expect(() => checkPermission({ permission: 'users:read', when: { readOnly: true } })).toThrow(/all or none/)
    for (const text of ['executions:read', 'tools:read:x', '*:read:files__*', 'routes:use:GET *'])
      expect(() => checkPermission(text)).not.toThrow()
  })
})

/** Z4: who may make users or roles makes none that may more than he. */
describe('Z4 a role is given on', () => {
  const policy = createPolicy([
    ...BUILT_IN_ROLES,
    roleOf({ name: 'people', permissions: ['users:*', 'roles:*'], deny: [] }),
    roleOf({ name: 'files', permissions: ['tools:execute:files__*'], deny: [] }),
    roleOf({ name: 'no-mail', permissions: ['*:*'], deny: ['tools:execute:mail__*'] }),
    roleOf({ name: 'low', permissions: [{ permission: 'tools:execute', when: { maxSecurityLevel: 3 } }], deny: [] }),
  ])
  test.each<[roles: string[], given: WrittenPermission, may: boolean]>([
    [['admin'], '*:*', true],
    [['admin'], { permission: 'tools:execute', when: { readOnly: true } }, true],
    [['people'], '*:*', false],
    [['people'], 'users:read', true],
    [['people'], 'tools:execute', false],
    [['people', 'user'], 'tools:execute:x', true],
    [['files'], 'tools:execute:files__re*', true],
    [['files'], 'tools:execute:file*', false],
    [['files'], 'tools:execute', false],
    [['files'], 'tools:*:files__x', false],
    [['no-mail'], 'tools:read', false],
    [['low'], 'tools:execute', false],
    [['low'], { permission: 'tools:execute', when: { maxSecurityLevel: 3 } }, true],
    [['low'], { permission: 'tools:execute', when: { maxSecurityLevel: 4 } }, false],
    [[], 'tools:read', false],
  ])('%j gives %j: %s', (roles, given, may) => {
    expect(policy.covers({ roles }, allowing(given))).toBe(may)
  })

  test('by a credential only as far as it is good, and a denial is what its end would give', () => {
    const role = allowing('tools:read')
    expect(policy.covers({ roles: ['admin'], permissions: ['tools:*'] }, role)).toBe(true)
    expect(policy.covers({ roles: ['admin'], permissions: ['users:*'] }, role)).toBe(false)
    expect(policy.covers({ roles: ['admin'], namespaces: ['dev'] }, role)).toBe(false)
    const written = { name: 'x', permissions: [], deny: ['tools:execute'] }
    expect(policy.covers({ roles: ['people'] }, roleOf(written))).toBe(true)
    expect(policy.covers({ roles: ['people'] }, freed(written))).toBe(false)
  })

  test('never lets more through than the giver may himself', () => {
    const part = fc.constantFrom('tools:execute', 'tools:*', '*:execute', '*:*', 'tools:read')
    const pattern = fc.constantFrom('', ':a', ':a*', ':*b', ':a*b', ':*', ':a*c*b')
    const permission = fc.tuple(part, pattern).map((parts) => parts.join(''))
    fc.assert(
      fc.property(
        permission,
        permission,
        fc.constantFrom('a', 'ab', 'b', 'acb', 'axb', 'a*b'),
        (wide, narrow, name) => {
          const own = createPolicy([allowing(wide)])
          if (!own.covers(R, allowing(narrow))) return
          const given = createPolicy([allowing(narrow)])
          for (const action of ['tools:execute', 'tools:read', 'roles:read'] as const)
            if (given.decide(R, action, name).allowed) expect(own.decide(R, action, name).allowed).toBe(true)
        },
      ),
    )
  })
})

describe('R152 who may do something with everything', () => {
  const part = fc.constantFrom('tools:read', 'tools:*', '*:*', 'tools:execute')
  const pattern = fc.constantFrom('', '', ':a*', ':*')
  const text = fc.tuple(part, pattern).map((parts) => parts.join(''))
  const written = fc.oneof(
    text,
    text.map((permission) => ({ permission, when: { servers: ['a'] } })),
  )
  const some = fc.array(written, { maxLength: 2 })

  test('may do it with each thing', () => {
    fc.assert(
      fc.property(
        some,
        some,
        fc.option(fc.array(text, { maxLength: 2 }), { nil: undefined }),
        (allow, deny, limits) => {
          const policy = createPolicy([roleOf({ name: 'r', permissions: allow, deny })])
          const asker = { roles: ['r'], ...(limits ? { permissions: limits } : {}) }
          const mayAll = policy.allowsAll(asker, 'tools:read')
          for (const name of ['a', 'ab', 'b'])
            for (const server of ['a', 'b'])
              if (mayAll) expect(policy.decide(asker, 'tools:read', name, { server }).allowed).toBe(true)
        },
      ),
    )
  })

  test.each<[boolean, string[], string[], string[] | undefined]>([
    [true, ['tools:read'], [], undefined],
    [true, ['*:*'], ['servers:read'], ['tools:*']],
    [false, ['tools:read:a*'], [], undefined],
    [false, ['*:*'], ['tools:read:a*'], undefined],
    [false, ['*:*'], [], ['tools:read:a*']],
    [false, [], [], undefined],
  ])('is %j with %j, but for %j, by a credential for %j', (may, permissions, deny, limits) => {
    const policy = createPolicy([roleOf({ name: 'r', permissions, deny })])
    const asker = { roles: ['r'], ...(limits ? { permissions: limits } : {}) }
    expect(policy.allowsAll(asker, 'tools:read')).toBe(may)
  })
})
