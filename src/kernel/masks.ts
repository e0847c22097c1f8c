/** Stands in answers where a secret would; coming back it means "as it was". */
export const MASK = '***'

const SECRET_WORD = /key|token|secret|passw|passphrase|pwd|auth|cred|cookie|session|sign|private|appid/i

/** True for names whose values are likely secret. */
export function isSecretName(name: string): boolean {
  return SECRET_WORD.test(name)
}

/** All names, no values. */
export function maskValues(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.keys(values).map((name) => [name, MASK]))
}

/** The values with those that read `***` taken from `kept`; undefined when one has nothing to stand for. */
export function unmaskValues(
  values: Readonly<Record<string, string>>,
  kept: Readonly<Record<string, string>>,
): Record<string, string> | undefined {
  const entries = Object.entries(values).map(([name, value]) => [name, value === MASK ? kept[name] : value] as const)
  if (entries.some(([, value]) => value === undefined)) return undefined
  return Object.fromEntries(entries.map(([name, value]) => [name, value ?? '']))
}

/** The URL without user, password and what its query keeps secret; otherwise to the letter. */
export function maskUrl(url: string): string {
  return url
    .replace(/^([a-z]+:\/\/)[^/?#]*@/i, `$1${MASK}@`)
    .replaceAll(/([?&]([^=&#?]+)=)[^&#]*/g, (pair, head: string, name: string) =>
      isSecretName(name) ? head + MASK : pair,
    )
}

/** Command-line arguments without the values of options that sound secret: `--token=…`, `--api-key …`. */
export function maskArguments(args: readonly string[]): string[] {
  return args.map((argument, index) => {
    const [option = '', ...value] = argument.split('=')
    if (option.startsWith('-') && isSecretName(option) && value.length > 0) return `${option}=${MASK}`
    const before = args[index - 1] ?? ''
    const isValue = before.startsWith('-') && !before.includes('=') && isSecretName(before)
    return isValue && !argument.startsWith('-') ? MASK : maskUrl(argument)
  })
}
