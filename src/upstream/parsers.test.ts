import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { childEnvironment } from './child-environment.ts'
import { createLineSplitter } from './line-splitter.ts'
import { createLogRing } from './log-ring.ts'
import { createRetrySchedule } from './retry-schedule.ts'
import { createSseParser, type SseEvent } from './sse-parser.ts'

/** All ways to cut bytes in two, and one byte at a time. */
function cuts(text: string): Buffer[][] {
  const bytes = Buffer.from(text)
  const halves = Array.from({ length: bytes.length + 1 }, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)])
  return [...halves, [...bytes].map((byte) => Buffer.of(byte))]
}

const eventsOf = (chunks: readonly Buffer[]): SseEvent[] => {
  const parser = createSseParser(100_000)
  return chunks.flatMap((chunk) => parser.push(chunk))
}

describe('R252 an event stream', () => {
  test.each<[string, string, SseEvent[]]>([
    ['an event', 'data: {"a":"é😀"}\n\n', [{ event: 'message', data: '{"a":"é😀"}' }]],
    [
      'lines that end as they like',
      'event: x\rdata: 1\r\ndata: 2\n\r\ndata: 3\r\r',
      [
        { event: 'x', data: '1\n2' },
        { event: 'message', data: '3' },
      ],
    ],
    [
      'comments and unknown fields',
      ': alive\n\nfoo: 1\nconstructor: 2\n__proto__: 3\ntoString\ndata: x\n\n',
      [{ event: 'message', data: 'x' }],
    ],
    ['a bookmark', 'id: 0-0\nretry: 1000\ndata: \n\n', [{ event: 'message', id: '0-0', retry: 1000, data: '' }]],
    [
      'no blank, one blank, two blanks',
      'data:a\n\ndata: b\n\ndata:  c\n\n',
      ['a', 'b', ' c'].map((data) => ({ event: 'message', data })),
    ],
    ['a field without a colon', 'data\n\n', [{ event: 'message', data: '' }]],
    ['colons in data', 'data: a: b\n\n', [{ event: 'message', data: 'a: b' }]],
    [
      'a broken retry',
      'retry: soon\ndata: x\n\nretry: -5\ndata: y\n\n',
      ['x', 'y'].map((data) => ({ event: 'message', data })),
    ],
    ['the last id and event', 'id: 1\nid: 2\nevent: a\nevent: b\ndata: x\n\n', [{ event: 'b', id: '2', data: 'x' }]],
    ['an event that never ends', 'data: x\n\ndata: y\n', [{ event: 'message', data: 'x' }]],
    ['a byte order mark', '\ufeffdata: x\n\n', [{ event: 'message', data: 'x' }]],
  ])('with %s is read the same wherever it is cut', (_what, text, events) => {
    const ended = `${text}: end\n`
    for (const chunks of cuts(ended)) expect(eventsOf(chunks)).toEqual(events)
  })

  test('carries any data that its sender may write, in chunks of any size', () => {
    const data = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, ''))
    fc.assert(
      fc.property(fc.array(data, { minLength: 1 }), fc.integer({ min: 1, max: 9 }), (all, size) => {
        const bytes = Buffer.from(all.map((each) => `data: ${each}\n\n`).join(''))
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
          bytes.subarray(at * size, (at + 1) * size),
        )
        expect(eventsOf(chunks).map((event) => event.data)).toEqual(all)
      }),
    )
  })

  test('with an event beyond the limit is given up, however it grows', () => {
    for (const line of ['x'.repeat(30), 'data: x\n', ': comment\n', 'unknown: x\n']) {
      const parser = createSseParser(100)
      expect(() => {
        for (let sent = 0; sent < 20; sent += 1) parser.push(Buffer.from(line))
      }).toThrow(RangeError)
    }
    const parser = createSseParser(100)
    for (let sent = 0; sent < 200; sent += 1) expect(parser.push(Buffer.from('data: fine\n\n'))).toHaveLength(1)
  })

  test('with one event of 20 MB in small chunks is read in linear time', () => {
    const parser = createSseParser(50_000_000)
    const chunk = Buffer.alloc(16_384, 0x78)
    const startedAt = performance.now()
    parser.push(Buffer.from('data: '))
    for (let sent = 0; sent < 1280; sent += 1) parser.push(chunk)
    expect(parser.push(Buffer.from('\n\n'))[0]?.data).toHaveLength(1280 * 16_384)
    expect(performance.now() - startedAt).toBeLessThan(3000)
  })
})

describe('R252 lines of a pipe', () => {
  test('are the same wherever the bytes are cut', () => {
    const text = '{"a":"é😀"}\r\n\nb\r\n\u2028c\n'
    for (const chunks of cuts(text)) {
      const splitter = createLineSplitter(1000)
      expect(chunks.flatMap((chunk) => splitter.push(chunk))).toEqual(['{"a":"é😀"}', '', 'b', '\u2028c'])
    }
  })

  test('end at a line feed alone, and one that never ends is given up', () => {
    const splitter = createLineSplitter(100)
    expect(splitter.push(Buffer.from('a\rb\n'))).toEqual(['a\rb'])
    expect(() => {
      for (let sent = 0; sent < 20; sent += 1) splitter.push(Buffer.from('x'.repeat(10)))
    }).toThrow(RangeError)
  })
})

describe('R252 the pause before the next try', () => {
  test('grows to a minute, never beyond, and starts over after a success', () => {
    for (const random of [0, 0.999999]) {
      const schedule = createRetrySchedule(() => random)
      const pauses = Array.from({ length: 40 }, () => schedule.next())
      expect(pauses[0]).toBeLessThanOrEqual(250)
      expect(pauses.toSorted((a, b) => a - b)).toEqual(pauses)
      expect(pauses.at(-1)).toSatisfy((ms) => ms >= 45_000 && ms <= 60_000)
      schedule.reset()
      expect(schedule.next()).toBe(pauses[0])
    }
  })

  test('differs between gateways', () => {
    const schedule = createRetrySchedule()
    for (let failure = 0; failure < 20; failure += 1) schedule.next()
    expect(new Set(Array.from({ length: 20 }, () => schedule.next())).size).toBeGreaterThan(10)
  })
})

test('R252 the log of an upstream keeps the newest lines, each of a bounded length', () => {
  const ring = createLogRing(() => 7)
  for (let line = 0; line < 5000; line += 1) ring.add('stderr', `${line} ${'x'.repeat(9000)}`)
  const lines = ring.lines()
  expect(lines).toHaveLength(500)
  expect(lines.map(({ text }) => Number.parseInt(text, 10))).toEqual(
    Array.from({ length: 500 }, (_, index) => 4500 + index),
  )
  for (const { at, source, text } of lines) expect([at, source, text.length]).toEqual([7, 'stderr', 4000])
})

test('R252 a child gets what it needs, what the operator gave it, and nothing else of ours', () => {
  const inherited = {
    PATH: '/bin',
    HOME: '/home/a',
    LANG: 'C',
    SHELL: '() { evil; }',
    META_MCP_SECRET_KEY: 'secret',
    AWS_SECRET_ACCESS_KEY: 'secret',
    NODE_OPTIONS: '--inspect',
    LD_PRELOAD: 'x.so',
    TMPDIR: undefined,
  }
  expect(childEnvironment(inherited, { KEY: 'value', HOME: '/own' })).toEqual({
    PATH: '/bin',
    HOME: '/own',
    LANG: 'C',
    KEY: 'value',
  })
})
