import { Ajv, type ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { RE2JS } from 're2js'
import type { JsonObject } from '#kernel/json'

const SCHEMA_CHARS_MAX = 1_000_000
const CACHE_MAX = 5000
const PROBLEMS_MAX = 10

/** Checks arguments by foreign schemas: in their own dialect, with patterns that cannot blow up, without the network. */
export interface ArgumentSchemas {
  /** What is wrong, in words; empty when nothing is. A schema that cannot be compiled finds nothing wrong. */
  check(schemaText: string, args: JsonObject): readonly string[]
}

const OPTIONS = {
  strict: false,
  allErrors: false,
  validateFormats: false,
  addUsedSchema: false,
  logger: false,
  code: { regExp: Object.assign((pattern: string) => linearPattern(pattern), { code: 'linearPattern' }) },
} as const

/** A regular expression in linear time; what re2 has no word for (look-around, back-references) matches everything. */
function linearPattern(pattern: string): RegExp {
  try {
    const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern))
    // Ajv takes patterns with the same text for one.
    const test = (text: string): boolean => compiled.matcher(text).find()
    return { test, toString: () => pattern } as unknown as RegExp
  } catch {
    return /(?:)/
  }
}

function createDialects() {
  return { draft07: new Ajv(OPTIONS), draft2020: new Ajv2020(OPTIONS) }
}

export function createArgumentSchemas(log: (schema: string) => void): ArgumentSchemas {
  let dialects = createDialects()
  const compiled = new Map<string, ValidateFunction | undefined>()

  const compile = (schemaText: string): ValidateFunction | undefined => {
    if (schemaText.length > SCHEMA_CHARS_MAX) return undefined
    try {
      const { $schema, $id: _id, ...schema } = JSON.parse(schemaText) as JsonObject
      const isDraft07 = typeof $schema === 'string' && $schema.includes('draft-07')
      return (isDraft07 ? dialects.draft07 : dialects.draft2020).compile(schema)
    } catch (error) {
      log(String(error))
      return undefined
    }
  }
  /** Ajv keeps all that it has ever compiled: to forget is to begin anew. */
  const forget = (): void => {
    compiled.clear()
    dialects = createDialects()
  }
  return {
    check(schemaText, args) {
      if (compiled.size >= CACHE_MAX) forget()
      if (!compiled.has(schemaText)) compiled.set(schemaText, compile(schemaText))
      const validate = compiled.get(schemaText)
      if (!validate || validate(args)) return []
      return (validate.errors ?? []).slice(0, PROBLEMS_MAX).map(({ instancePath, message, params }) => {
        const extra = 'additionalProperty' in params ? ` (${String(params['additionalProperty'])})` : ''
        return `${instancePath === '' ? 'arguments' : instancePath} ${message ?? 'is not valid'}${extra}`
      })
    },
  }
}
