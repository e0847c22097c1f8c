import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allActions, readPermission, type Action } from './permission.ts'
import { createPolicy } from './policy.ts'
import { BUILT_IN_ROLES, type Role } from './roles.ts'

const role = (name: string, allow: readonly string[], deny: readonly string[] = []): Role => {
  return { name, allow: allow.map(readPermission), deny: deny.map(readPermission) }
}
const who = (...roles: string[]) => ({ roles })

function may(roles: readonly Role[], action: Action, name?: string): boolean {
  return createPolicy(roles).decide(who(...roles.map((each) => each.name)), action, name).allowed
}

describe('R150, R151 a decision', () => {
  test.each<[permission: string, action: Action, name: string | undefined, allowed: boolean]>([
    ['tools:execute', 'tools:execute', 'files__read', true],
    ['tools:execute', 'tools:read', 'files__read', false],
    ['tools:*', 'tools:delete', 'x', true],
    ['*:read', 'servers:read', undefined, true],
    ['*:read', 'servers:update', undefined, false],
    ['*:*', 'settings:update', undefined, true],
    ['tools:execute:files__*', 'tools:execute', 'files__read', true],
    ['tools:execute:files__*', 'tools:execute', 'mail__send', false],
    ['tools:execute:files__*', 'tools:execute', undefined, true],
    ['tools:execute:a:b', 'tools:execute', 'a:b', true],
    ['tools:execute:FILES__*', 'tools:execute', 'files__read', false],
  ])('of who has %s about %s of %s', (permission, action, name, allowed) => {
    expect(may([role('r', [permission])], action, name)).toBe(allowed)
  })

  test('deny wins over every allow, of the same role and of others', () => {
    const careful = role('careful', ['tools:execute'], ['tools:execute:*delete*'])
    expect(may([careful], 'tools:execute', 'files__delete_all')).toBe(false)
    expect(may([careful, role('boss', ['*:*'])], 'tools:execute', 'files__delete_all')).toBe(false)
    expect(may([careful], 'tools:execute', 'files__read')).toBe(true)
    expect(may([careful], 'tools:execute')).toBe(true)
    expect(may([role('none', ['*:*'], ['tools:execute'])], 'tools:execute')).toBe(false)
  })

  test('who has no role, or one that there is not, may do nothing', () => {
    const policy = createPolicy(BUILT_IN_ROLES)
    for (const action of allActions()) {
      expect(policy.decide(who(), action).allowed).toBe(false)
      expect(policy.decide(who('Admin', 'root', '__proto__', 'constructor'), action).allowed).toBe(false)
    }
  })

  test('Z11 a credential is good for what it names, and never for more than its owner may', () => {
    const policy = createPolicy(BUILT_IN_ROLES)
    const key = { roles: ['user'], permissions: ['tools:execute:files__*', 'settings:update'] }
    expect(policy.decide(key, 'tools:execute', 'files__read').allowed).toBe(true)
    expect(policy.decide(key, 'tools:execute', 'mail__send')).toEqual({
      allowed: false,
      rule: 'the credential is not good for tools:execute',
    })
    expect(policy.decide(key, 'tools:read').allowed).toBe(false)
    expect(policy.decide(key, 'settings:update').allowed).toBe(false)
    expect(policy.decide({ roles: ['admin'], permissions: [] }, 'tools:read').allowed).toBe(false)
    expect(policy.scopeOf(key)).not.toBe(policy.scopeOf({ roles: ['user'] }))
  })

  test('names the rule that decided', () => {
    const policy = createPolicy([...BUILT_IN_ROLES, role('no-mail', [], ['tools:execute:mail__*'])])
    expect(policy.decide(who('user', 'no-mail'), 'tools:execute', 'mail__send')).toEqual({
      allowed: false,
      rule: 'role no-mail denies tools:execute:mail__*',
    })
    expect(policy.decide(who('user'), 'tools:execute', 'mail__send').rule).toBe('role user allows tools:execute')
    expect(policy.decide(who('viewer'), 'tools:execute').rule).toBe('no role allows tools:execute')
  })

  test('each built-in role but the auditor may do what the one before it may', () => {
    const policy = createPolicy(BUILT_IN_ROLES)
    const allowed = BUILT_IN_ROLES.slice(1).map(({ name }) =>
      allActions().filter((action) => policy.decide(who(name), action).allowed),
    )
    for (const [index, own] of allowed.entries()) expect(own).toEqual(expect.arrayContaining(allowed[index - 1] ?? []))
    expect(allowed.at(-1)).toEqual(allActions())
  })

  test('is the same for principals of one scope, whatever the order of their roles, and never for more roles less denied', () => {
    const names = fc.subarray(['viewer', 'user', 'developer', 'operator', 'admin'])
    fc.assert(
      fc.property(names, fc.constantFrom(...allActions()), (roles, action) => {
        const policy = createPolicy(BUILT_IN_ROLES)
        const [one, other] = [who(...roles), who(...roles.toReversed())]
        expect(policy.scopeOf(one)).toBe(policy.scopeOf(other))
        expect(policy.decide(one, action)).toEqual(policy.decide(other, action))
      }),
    )
  })
})

test.each(['', 'tools', 'tools:', ':read', 'tools:fly', 'Tools:read', 'tools:read:', 'treasures:*'])(
  '%j is no permission',
  (text) => expect(() => readPermission(text)).toThrow(/is no permission/),
)
