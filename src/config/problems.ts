/** One thing that is wrong with the configuration, and where it was written. */
export interface Problem {
  /** `FILE:path.to.key`, `environment NAME` or `flag --name`. */
  readonly source: string
  /** A plain sentence that never repeats a secret. */
  readonly text: string
}

/** The configuration cannot be used. Lists every problem; the message is ready to print. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    const lines = problems.map((problem) => `${problem.source}: ${problem.text}`)
    const [only] = lines
    super(
      lines.length === 1 && only !== undefined
        ? `The configuration has a problem: ${only}`
        : [`The configuration has ${lines.length} problems:`, ...lines.map((line) => `  ${line}`)].join('\n'),
    )
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** For what is wrong with one thing alone. */
export function configError(source: string, text: string): ConfigError {
  return new ConfigError([{ source, text }])
}

export type KeyPath = readonly PropertyKey[]

/** `FILE:servers.files.args[0]`. */
export function fileSource(file: string, path: KeyPath): string {
  const keys = path.map((key, index) => {
    if (typeof key === 'number') return `[${key}]`
    const text = String(key)
    if (!/^[\w-]+$/.test(text)) return `[${JSON.stringify(text)}]`
    return index === 0 ? text : `.${text}`
  })
  return keys.length === 0 ? file : `${file}:${keys.join('')}`
}
