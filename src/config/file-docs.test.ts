import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { configFileSchema } from '#contract/config-file'
import { loadConfig } from './load.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const PAGE = read('docs/reference/config-file.md')

/** What the examples ask of the environment. */
const ENV = { HOME: '/home/me', TOKEN: 't', REMOTE_TOKEN: 't', WEATHER_KEY: 'k' }

/** The keys of each section of the file, as the schema has them. */
function keysOf(schema: z.core.$ZodType): string[] {
  if (schema instanceof z.ZodOptional) return keysOf(schema.unwrap())
  if (schema instanceof z.ZodDiscriminatedUnion) return schema.options.flatMap((option) => keysOf(option))
  if (schema instanceof z.ZodRecord) return keysOf(schema.valueType)
  if (schema instanceof z.ZodArray) return keysOf(schema.element)
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
}

const sections = PAGE.split(/^## /m).slice(1)
const { mcpServers: _same, settings: _elsewhere, ...tabled } = configFileSchema.shape

test.each(Object.entries(tabled))(
  'R261: the page of the config file has a row for each key of %s, and no other',
  (name, schema) => {
    const section = sections.find((text) => text.startsWith(`\`${name}\``)) ?? ''
    const rows = [...section.matchAll(/^\| `(\w+)` /gm)].map(([, key]) => key)
    expect(new Set(rows)).toEqual(new Set(keysOf(schema)))
  },
)

test('R261: every section of the config file has a heading of its own', () => {
  const headings = sections.flatMap((text) =>
    [...(text.split('\n')[0] ?? '').matchAll(/`(\w+)`/g)].map(([, key]) => key),
  )
  expect(new Set(headings)).toEqual(new Set(Object.keys(configFileSchema.shape)))
})

const examples = [
  ...['README.md', 'docs/reference/config-file.md', ...readmesOfExamples()].flatMap((path) =>
    [...read(path).matchAll(/^```yaml\n(.*?)^```/gms)].map(
      ([, text = ''], at) => [`${path}, ${at + 1}`, text] as const,
    ),
  ),
  ...['quickstart', 'api-tools'].map((name) => [`examples/${name}`, read(`examples/${name}/metamcp.yaml`)] as const),
]

function readmesOfExamples(): string[] {
  return readdirSync(join(ROOT, 'examples'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('README.md'))
    .map((path) => `examples/${path}`)
}

test('R261: there are examples to check', () => {
  expect(examples.length).toBeGreaterThan(8)
})

test.each(examples)('R261: the configuration of %s is one', (_place, text) => {
  const readFile = (path: string) => (path.startsWith('/run/secrets') ? 'secret' : text)
  expect(() => loadConfig({ flags: { config: '/x/metamcp.yaml' }, env: ENV, readFile })).not.toThrow()
})
