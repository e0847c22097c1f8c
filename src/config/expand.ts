import { resolve } from 'node:path'
import type { Environment } from './env.ts'
import type { KeyPath } from './problems.ts'

export interface ExpandContext {
  readonly env: Environment
  readonly readFile: (path: string) => string
  readonly report: (path: KeyPath, text: string) => void
}

const PLACE = /\$(\$?)\{([^}]*)\}/g
const VARIABLE = /^(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s
const FILE = 'file:'

/**
 * Replaces `${NAME}`, `${NAME:-default}` and `${file:/path}` in every string below `value`; `$${` stands for a plain `${`.
 * What cannot be replaced is reported and stays as it is.
 */
export function expandTree(value: unknown, context: ExpandContext, path: KeyPath = []): unknown {
  if (typeof value === 'string') return expandText(value, context, path)
  if (Array.isArray(value)) return value.map((each, index) => expandTree(each, context, [...path, index]))
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([key, each]) => [key, expandTree(each, context, [...path, key])] as const)
  return Object.fromEntries(members)
}

function expandText(text: string, context: ExpandContext, path: KeyPath): string {
  return text.replaceAll(PLACE, (whole, escape: string, body: string) => {
    if (escape) return whole.slice(1)
    const { value, fault } = body.startsWith(FILE)
      ? fromFile(body.slice(FILE.length), context)
      : fromVariable(body, context)
    if (fault !== undefined) context.report(path, fault)
    return value ?? whole
  })
}

interface Expansion {
  readonly value?: string
  readonly fault?: string
}

function fromFile(path: string, context: ExpandContext): Expansion {
  try {
    return { value: context.readFile(resolve(path)).replace(/\r?\n$/, '') }
  } catch (error) {
    return { fault: `\${file:${path}} cannot be read: ${reasonOf(error)}` }
  }
}

function fromVariable(body: string, context: ExpandContext): Expansion {
  const [, name, fallback] = VARIABLE.exec(body) ?? []
  if (name === undefined)
    return { fault: `"\${${body}}" is not \${NAME}, \${NAME:-default} or \${file:/path}; write $\${ for a plain \${` }
  const value = context.env[name]
  if (fallback !== undefined) return { value: value === undefined || value === '' ? fallback : value }
  return value === undefined ? { fault: `the environment variable ${name} is not set` } : { value }
}

/** `ENOENT` says more to most people as a sentence. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const known: Readonly<Record<string, string>> = {
    ENOENT: 'it does not exist',
    EACCES: 'permission denied',
    EISDIR: 'it is a directory',
  }
  return known[code] ?? (error instanceof Error ? error.message : String(error))
}
