/** The options of a program that may stand before what it runs. Every other is refused: a list of bad ones is never whole. */
export interface OptionRules {
  /** Options in one word. */
  readonly plain: RegExp
  /** Options whose value is the next word, or stands behind `=`: what the value must be like. */
  readonly valued?: Readonly<Record<string, RegExp>>
  /** Of those: what follows the value is no option any more. */
  readonly last?: readonly string[]
}

export type Options =
  | { readonly problem: string }
  | { readonly problem?: undefined; readonly rest: readonly string[]; readonly values: ReadonlyMap<string, string> }

/** Reads options up to the first word that is none, or to `--`. */
export function readOptions(args: readonly string[], { plain, valued = {}, last = [] }: OptionRules): Options {
  const values = new Map<string, string>()
  let at = 0
  for (; at < args.length; at++) {
    const word = args[at] ?? ''
    if (word === '--') return { rest: args.slice(at + 1), values }
    if (!word.startsWith('-') || word === '-') break
    if (plain.test(word)) continue
    const [name, inline] = splitOnce(word)
    const value = inline ?? args[++at]
    const rule = Object.hasOwn(valued, name) ? valued[name] : undefined
    if (!rule || value === undefined || !rule.test(value))
      return { problem: `the option ${name.slice(0, 40)} is not allowed` }
    values.set(name, value)
    if (last.includes(name)) return { rest: args.slice(at + 1), values }
  }
  return { rest: args.slice(at), values }
}

function splitOnce(word: string): [string, string | undefined] {
  const at = word.indexOf('=')
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)]
}
