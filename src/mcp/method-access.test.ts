import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isAction } from '#policy/permission'
import { checkMethods, METHOD_ACCESS, methodTable } from './method-access.ts'

const PAGE = join(import.meta.dirname, '../../docs/reference/permissions.md')
const plain = (table: string): string => table.replaceAll(/ +/g, ' ').replaceAll(/-+/g, '-')

test('Z1, R060 a method that declares nothing stops the start', () => {
  expect(() => checkMethods()).not.toThrow()
  expect(() => checkMethods(['tools/call', 'tools/inspect'])).toThrow(/tools\/inspect declares no access/)
  expect(() => checkMethods(['constructor'])).toThrow(/declares no access/)
})

test('what methods ask for are permissions that there are', () => {
  const wanted = [...METHOD_ACCESS.values()].flatMap((access) => (access === 'self' ? [] : access))
  expect(wanted.filter((action) => !isAction(action))).toEqual([])
})

test('the page of permissions has the table of methods', () => {
  expect(plain(readFileSync(PAGE, 'utf8'))).toContain(plain(methodTable()))
})
