import { describe, expect, test } from 'vitest'
import type { LogLevel } from '#config/config'
import { followCatalog } from './events.ts'
import { createLogger } from './log.ts'

function capture(level: LogLevel, pretty = false) {
  const lines: string[] = []
  const log = createLogger({ level, pretty, destination: { write: (line: string) => lines.push(line) } })
  const records = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  return { log, lines, records, text: () => lines.join('') }
}

const CANARY = 'canary-5e4f'

describe('R100 structured logging', () => {
  test('every line is JSON with level as a word, RFC 3339 time, room and phrase', () => {
    const { log, records } = capture('INFO')
    log.logger('mcp').warn({ requestId: 'r1', ms: 3 }, 'slow')
    const [record] = records()
    expect(record).toMatchObject({ level: 'warn', room: 'mcp', requestId: 'r1', ms: 3, msg: 'slow' })
    expect(record?.['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  test.each([
    { authorization: CANARY },
    { Cookie: CANARY },
    { headers: { 'X-Anything': CANARY } },
    { env: { FOO: CANARY } },
    { password: CANARY },
    { a: { b: [{ access_token: CANARY }] } },
    { clientSecret: CANARY },
    { 'x-api-key': CANARY },
    { api_key: CANARY },
    { key: CANARY },
    { url: `https://user:${CANARY}@host/` },
    { url: `https://host/?api_key=${CANARY}&x=1` },
    { reason: `sent Authorization: Bearer ${CANARY}` },
    { err: new Error(`no`, { cause: new Error(`postgres://u:${CANARY}@h/d`) }) },
    { err: Object.assign(new Error('x'), { config: { headers: { a: CANARY } } }) },
  ])('a secret never reaches the log: %o', (fields) => {
    const { log, text } = capture('DEBUG')
    log.logger('x').error(fields, 'event')
    expect(text()).toContain('[redacted]')
    expect(text()).not.toContain(CANARY)
  })

  test('what is no secret is told in full, an error with its cause', () => {
    const { log, records } = capture('DEBUG')
    const err = new TypeError('outer', { cause: new Error('inner') })
    log.logger('x').error({ err, tokens: 5, names: ['a'] }, 'event')
    expect(records()[0]).toMatchObject({
      err: { type: 'TypeError', message: 'outer', cause: { message: 'inner' } },
      tokens: 5,
      names: ['a'],
    })
  })

  test('fields that hold themselves do not hang the log', () => {
    const { log, records } = capture('DEBUG')
    const loop: Record<string, unknown> = {}
    loop['self'] = loop
    log.logger('x').info({ loop }, 'event')
    expect(records()).toHaveLength(1)
  })
})

describe('R101 levels', () => {
  test('at ERROR nothing below is written', () => {
    const { log, records } = capture('ERROR')
    const logger = log.logger('x')
    logger.debug({}, 'd')
    logger.info({}, 'i')
    logger.warn({}, 'w')
    logger.error({}, 'e')
    expect(records().map(({ msg }) => msg)).toEqual(['e'])
  })

  test('a change at run time reaches loggers that were given out before and after', () => {
    const { log, records } = capture('ERROR')
    const before = log.logger('a')
    log.setLevel('DEBUG')
    before.debug({}, 'one')
    log.logger('b').debug({}, 'two')
    log.setLevel('ERROR')
    before.info({}, 'three')
    expect(records().map(({ msg }) => msg)).toEqual(['one', 'two'])
  })
})

describe('R102 lines for people', () => {
  test('a terminal gets one readable line with room and fields', () => {
    const { log, text } = capture('INFO', true)
    log.logger('upstream').info({ upstream: 'files' }, 'connected')
    expect(text()).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: upstream: connected \{"upstream":"files"\}\n$/)
  })

  test.each([true, false])('what a server says cannot steer the terminal (pretty: %s)', (pretty) => {
    const { log, text } = capture('INFO', pretty)
    log.logger('x').info({ reason: 'a\u001B[2Jb\u009B31mc\u202Ed\u{E0041}' }, 'event')
    expect(text()).not.toMatch(/(?![\n\t])[\p{Cc}\p{Cf}]/u)
  })
})

test('R100 a name that had to give way is told once, a changed list each time', () => {
  const { log, records } = capture('INFO')
  const listeners: ((change: { namespace?: string }) => void)[] = []
  const collision = { kind: 'tool', wanted: 'echo', given: 'echo_1a2b3c4d', originalName: 'echo' }
  const catalog = {
    revision: 7,
    collisions: () => [collision],
    onChange: (each: (typeof listeners)[0]) => listeners.push(each),
  }
  followCatalog(log.logger('registry'), catalog)
  for (const listener of listeners) listener({ namespace: 'dev' })
  expect(records()).toMatchObject([
    { level: 'warn', msg: 'name already taken', wanted: 'echo', given: 'echo_1a2b3c4d' },
    { level: 'info', msg: 'catalog changed', revision: 7, namespace: 'dev' },
  ])
})
