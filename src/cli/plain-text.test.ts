import { expect, test } from 'vitest'
import { plainJson, plainLine, plainText } from './plain-text.ts'
import { resultText } from './result-text.ts'

const HOSTILE = 'a\u001B[31mred\u001B]0;title\u0007b\u009B2Jc\u202Ed\u200Be\u{E0041}f\rg\bh'

test('a server cannot colour, clear or rewrite the terminal, nor hide text', () => {
  expect(plainText(HOSTILE)).toBe('aredbcdefgh')
  expect(plainText('line\n\tnext ünï 日本 😀')).toBe('line\n\tnext ünï 日本 😀')
})

test('a cell of a table stays one line of its width', () => {
  expect(plainLine('  two\n\nlines\tand more ', 12)).toBe('two lines a…')
})

test('JSON stays the same JSON when it is made safe', () => {
  const json = JSON.stringify({ text: HOSTILE })
  expect(JSON.parse(plainJson(json))).toEqual({ text: HOSTILE })
  expect(plainJson(json)).not.toMatch(/[\p{Cc}\p{Cf}]/u)
})

test('a result shows its texts and names what is no text', () => {
  const result = {
    content: [
      { type: 'text', text: 'hello\u001B[2J' },
      { type: 'image', mimeType: 'image/png', data: 'AAAA' },
      { type: 'resource_link', uri: 'file:///x' },
      { type: 'resource', resource: { uri: 'file:///y', text: 'inside' } },
    ],
  }
  expect(resultText(result, '')).toBe('hello\n[image, image/png, 3 bytes]\n[resource_link, file:///x]\ninside\n')
})

test('a result without content is shown as the JSON that it is', () => {
  const raw = '{"content":[],"structuredContent":{"n":12345678901234567890}}'
  expect(resultText({ content: [] }, raw)).toBe(`${raw}\n`)
})
