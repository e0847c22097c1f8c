/** One import of a source file. */
export interface Import {
  readonly specifier: string
  /** Erased at run time: `import type`, or every name marked `type`. */
  readonly typeOnly: boolean
  /** `export * from`: what barrels are made of. */
  readonly exportsAll: boolean
}

const FROM = /^[ \t]*(import|export)\s+([^'";=]*?)\s*\bfrom\s*['"]([^'"]+)['"]/gm
const SIDE_EFFECT = /^[ \t]*import\s*['"]([^'"]+)['"]/gm
const DYNAMIC = /\bimport\s*\(\s*['"`]([^'"`$]+)['"`]/g

/** Every import with a literal specifier: import and export-from statements, side effects, `import()`. */
export function importsOf(source: string): Import[] {
  const text = withoutComments(source)
  return [
    ...Array.from(text.matchAll(FROM), ([, keyword, clause = '', specifier = '']) => ({
      specifier,
      typeOnly: isTypeOnly(clause),
      exportsAll: keyword === 'export' && clause.startsWith('*'),
    })),
    ...[SIDE_EFFECT, DYNAMIC].flatMap((pattern) =>
      Array.from(text.matchAll(pattern), ([, specifier = '']) => ({ specifier, typeOnly: false, exportsAll: false })),
    ),
  ]
}

/** The source without comments that stand on lines of their own or after code; strings stay as they are. */
export function withoutComments(source: string): string {
  return source.replaceAll(/^[ \t]*\/\*[\s\S]*?\*\//gm, '').replaceAll(/(^|\s)\/\/.*$/gm, '$1')
}

function isTypeOnly(clause: string): boolean {
  if (/^type\b(?!\s*,)/.test(clause)) return true
  const names = /^\{([^}]*)\}$/.exec(clause)?.[1]
  return names !== undefined && names.split(',').every((name) => name.trim() === '' || /^\s*type\s/.test(name))
}
