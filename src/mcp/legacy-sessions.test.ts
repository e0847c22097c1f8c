import { describe, expect, test } from 'vitest'
import type { Principal } from '#identity/principal'
import { createSealer } from '#kernel/seal'
import { createLegacySessions, type LegacySessions } from './legacy-sessions.ts'
import type { LegacySession } from './legacy-session.ts'

const PRINCIPAL: Principal = { id: 'p', username: 'p', roles: ['user'], kind: 'user' }
const HELLO = { protocolVersion: '2025-06-18', capabilities: {} }
const MAX = 5

/** Room for five, and a clock that goes on by one with every look at it. */
function crowd() {
  let time = 0
  const ended: LegacySession[] = []
  const sessions = createLegacySessions({
    sealer: createSealer(Buffer.alloc(32, 1)),
    sessionsMax: MAX,
    now: () => (time += 1),
    opened: () => undefined,
    ended: (session) => void ended.push(session),
  })
  return { sessions, ended, [Symbol.dispose]: () => sessions[Symbol.dispose]() }
}

function open(sessions: LegacySessions, count: number): LegacySession[] {
  return Array.from({ length: count }, () => sessions.open(HELLO, PRINCIPAL, undefined))
}

const use = (sessions: LegacySessions, session: LegacySession | undefined) =>
  sessions.find(session?.id ?? '', PRINCIPAL, undefined)

const nameOf = (named: Readonly<Record<string, LegacySession | undefined>>) => (session: LegacySession) =>
  Object.keys(named).find((name) => named[name] === session)

test('where there is no room left, the session that was idle longest ends, also after others were used meanwhile', () => {
  using stage = crowd()
  const { sessions, ended } = stage
  const [a, b, c, d, e] = open(sessions, MAX)
  use(sessions, a)
  const [f] = open(sessions, 1)
  use(sessions, c)
  open(sessions, 2)
  use(sessions, a)
  open(sessions, 2)
  expect(ended.map(nameOf({ a, b, c, d, e, f }))).toEqual(['b', 'd', 'e', 'f', 'c'])
  expect(sessions.size).toBe(MAX)
})

test('a session in the middle of a call does not make room', () => {
  using stage = crowd()
  const { sessions, ended } = stage
  const [busy, next] = open(sessions, MAX) as [LegacySession, LegacySession]
  busy.began(1)
  open(sessions, 1)
  expect(ended).toEqual([next])
  busy.finished(1)
  expect(busy.isIdle).toBe(true)
})

test('thousands of newcomers to a full house take no time that grows with the house', () => {
  const looks = { count: 0 }
  let time = 0
  using sessions = createLegacySessions({
    sealer: createSealer(Buffer.alloc(32, 1)),
    sessionsMax: 1000,
    now: () => (time += 1),
    opened: () => undefined,
    ended: () => undefined,
  })
  const counted = (session: LegacySession): void =>
    void Object.defineProperty(session, 'isIdle', {
      get() {
        looks.count += 1
        return true
      },
    })
  for (let each = 0; each < 6000; each += 1) counted(sessions.open(HELLO, PRINCIPAL, undefined))
  // Each is looked at when the house is sorted, and when its turn has come.
  expect(looks.count).toBeLessThan(6000 * 3)
})

function start(sessionsMax: number) {
  const clock = { ms: 0 }
  const ended: string[] = []
  const sealer = createSealer(Buffer.alloc(32, 1))
  const sessions = createLegacySessions({
    sealer,
    sessionsMax,
    now: () => (clock.ms += 1),
    opened: () => undefined,
    ended: ({ principal }) => ended.push(principal.id),
  })
  const open = (id: string) => sessions.open(HELLO, somebody(id), undefined)
  return { sessions, open, ended, [Symbol.dispose]: () => sessions[Symbol.dispose]() }
}

const somebody = (id: string): Principal => ({ id, roles: [], kind: 'user' })

describe('when there are as many sessions as there may be', () => {
  /** D4: a flood must not end the sessions of those who have few. */
  test('the one of whoever has most makes room, the longest idle first', () => {
    using t = start(4)
    const quiet = t.open('quiet')
    const [first, second] = [t.open('flood'), t.open('flood')]
    t.open('flood')
    t.sessions.find(first.id, somebody('flood'), undefined)
    t.open('flood')
    t.open('another')
    expect(t.ended).toEqual(['flood', 'flood'])
    expect(t.sessions.find(quiet.id, somebody('quiet'), undefined)).toBe(quiet)
    expect(t.sessions.find(first.id, somebody('flood'), undefined)).toBe(first)
    expect(t.sessions.find(second.id, somebody('flood'), undefined)).toBeUndefined()
  })

  test('and all of them are in use, the next one is refused, until one is not', () => {
    using t = start(2)
    const [busy, other] = [t.open('a'), t.open('b')]
    busy.began(1)
    other.began(1)
    expect(() => t.open('c')).toThrow(expect.objectContaining({ code: 'overloaded' }))
    expect(t.sessions.size).toBe(2)
    other.finished(1)
    expect(t.open('c').principal.id).toBe('c')
    expect(t.ended).toEqual(['b'])
  })
})
