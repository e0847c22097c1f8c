import { expect, test } from 'vitest'
import { maskArguments, maskUrl } from './masks.ts'

test.each([
  ['https://user:pass@host/a', 'https://***@host/a'],
  ['https://us@er:p@host/a@b', 'https://***@host/a@b'],
  [
    'https://host/{city}?api_key=s&page=1&access_token=t#x',
    'https://host/{city}?api_key=***&page=1&access_token=***#x',
  ],
  ['https://host/a?appid=s&pwd=t&units=metric', 'https://host/a?appid=***&pwd=***&units=metric'],
  ['https://host/a?page=1', 'https://host/a?page=1'],
  ['not a url', 'not a url'],
])('%s is shown as %s', (url, shown) => {
  expect(maskUrl(url)).toBe(shown)
})

test('options that sound secret lose their values, others keep them', () => {
  const args = ['run', '--token=s', '--api-key', 's', '--root', '/srv', '--password', '--verbose', 'http://a:b@host/']
  const shown = [
    'run',
    '--token=***',
    '--api-key',
    '***',
    '--root',
    '/srv',
    '--password',
    '--verbose',
    'http://***@host/',
  ]
  expect(maskArguments(args)).toEqual(shown)
})
