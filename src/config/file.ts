import { parseDocument } from 'yaml'
import { z } from 'zod'
import { configFileSchema, type ConfigFile } from '#contract/config-file'
import type { Environment } from './env.ts'
import { expandTree, reasonOf } from './expand.ts'
import { nearest } from './nearest.ts'
import { fileSource, type KeyPath, type Problem } from './problems.ts'

export interface FileContext {
  readonly env: Environment
  readonly readFile: (path: string) => string
}

export type FileSettings = NonNullable<ConfigFile['settings']>

export interface FileReading {
  /** Undefined when there are problems. */
  readonly file?: ConfigFile
  /** Readable even where the rest of the file is not, so that its problems show together with the others. */
  readonly settings: FileSettings
  readonly problems: readonly Problem[]
}

/** Reads, expands and checks a config file, YAML or JSON. */
export function readConfigFile(path: string, context: FileContext): FileReading {
  const problems: Problem[] = []
  const text = attempt(() => context.readFile(path))
  if (text.error !== undefined) return unreadable(path, `cannot be read: ${reasonOf(text.error)}`)
  const tree = attempt(() => parseTree(text.value))
  if (tree.error !== undefined) return unreadable(path, reasonOf(tree.error))

  const unexpanded = new Set<string>()
  const report = (at: KeyPath, sentence: string): void => {
    unexpanded.add(JSON.stringify(at))
    problems.push({ source: fileSource(path, at), text: sentence })
  }
  const expanded = expandTree(tree.value, { ...context, report })
  const checked = configFileSchema.safeParse(expanded)
  // A text whose `${…}` could not be replaced has been reported; that it is no URL either is no news.
  const issues = (checked.error?.issues ?? []).filter((issue) => !unexpanded.has(JSON.stringify(issue.path)))
  problems.push(...issues.flatMap((issue) => problemsOf(path, issue)))
  const settings = settingsOf(expanded)
  return checked.success && problems.length === 0 ? { file: checked.data, settings, problems } : { settings, problems }
}

function unreadable(path: string, text: string): FileReading {
  return { settings: {}, problems: [{ source: path, text }] }
}

function settingsOf(tree: unknown): FileSettings {
  const { settings } = tree as { readonly settings?: unknown }
  return configFileSchema.shape.settings.safeParse(settings).data ?? {}
}

/** JSON is YAML, so one parser reads both and also finds keys that occur twice. */
function parseTree(text: string): object {
  const document = parseDocument(text, { prettyErrors: false })
  const [error] = document.errors
  if (error) {
    const line = text.slice(0, error.pos[0]).split('\n').length
    throw new Error(`is not valid YAML or JSON at line ${line}: ${error.message}`)
  }
  const tree: unknown = document.toJS()
  if (tree === null) return {}
  if (typeof tree !== 'object' || Array.isArray(tree))
    throw new Error('must hold keys such as "servers", not a list or a text')
  // A section whose entries are all commented out reads as null.
  return Object.fromEntries(Object.entries(tree).filter(([, section]) => section !== null))
}

function problemsOf(file: string, issue: z.core.$ZodIssue): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(configFileSchema, issue.path)
    return issue.keys.map((key) => ({
      source: fileSource(file, [...issue.path, key]),
      text: `unknown key, did you mean "${nearest(key, known)}"?`,
    }))
  }
  return [{ source: fileSource(file, issue.path), text: sentenceOf(issue) }]
}

function sentenceOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type')
    return issue.message.endsWith('received undefined')
      ? 'is missing'
      : `must be ${TYPE_WORDS[issue.expected] ?? issue.expected}`
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.join(', ')}`
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message
  if (issue.code === 'invalid_union' && issue.discriminator !== undefined) return 'must be file, registry or network'
  if (issue.code === 'too_small')
    return issue.origin === 'number' ? `must be at least ${issue.minimum}` : 'must not be empty'
  if (issue.code === 'too_big')
    return `must be at most ${issue.maximum}${issue.origin === 'string' ? ' characters long' : ''}`
  return issue.message
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of keys',
  record: 'a group of keys',
}

/** The keys that may stand at a place of the file. */
function keysAt(schema: z.core.$ZodType, path: KeyPath): string[] {
  if (schema instanceof z.ZodOptional) return keysAt(schema.unwrap(), path)
  if (schema instanceof z.ZodDiscriminatedUnion) return schema.options.flatMap((option) => keysAt(option, path))
  const [key, ...rest] = path
  if (schema instanceof z.ZodRecord) return keysAt(schema.valueType, rest)
  if (schema instanceof z.ZodArray) return keysAt(schema.element, rest)
  if (!(schema instanceof z.ZodObject)) return []
  if (key === undefined) return Object.keys(schema.shape)
  const member: z.core.$ZodType | undefined = schema.shape[String(key)]
  return member ? keysAt(member, rest) : []
}

type Attempt<T> = { readonly value: T; readonly error?: undefined } | { readonly error: Error }

function attempt<T>(action: () => T): Attempt<T> {
  try {
    return { value: action() }
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)) }
  }
}
