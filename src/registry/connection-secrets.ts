import { isSecretName, MASK, maskArguments } from '#kernel/masks'
import type { Connection } from './records.ts'

/** Takes a server's secrets out of text that it or its errors wrote. */
export function redactor(connection: Connection): (text: string) => string {
  const secrets = knownSecrets(connection).filter((value) => value.length >= 6)
  return (text) => secrets.reduce((rest, secret) => rest.replaceAll(secret, MASK), text)
}

function knownSecrets(connection: Connection): string[] {
  if (connection.kind === 'stdio') {
    const { env, args } = connection
    return [
      ...Object.entries(env).flatMap(([name, value]) => (isSecretName(name) ? [value] : urlSecrets(value))),
      ...argumentSecrets(args),
    ]
  }
  const values = Object.values(connection.headers)
  const words = values.flatMap((value) => value.split(' ').slice(1))
  return [...values, ...words, ...urlSecrets(connection.url)]
}

/** What `maskArguments` hides. */
function argumentSecrets(args: readonly string[]): string[] {
  const shown = maskArguments(args)
  return args.flatMap((argument, index) => {
    const mask = shown[index] ?? ''
    if (mask === argument) return []
    const isOption = argument.startsWith('-') && mask.endsWith(`=${MASK}`)
    return isOption || mask === MASK ? [argument.slice(mask.length - MASK.length)] : urlSecrets(argument)
  })
}

/** What `maskUrl` hides. */
function urlSecrets(text: string): string[] {
  const url = URL.parse(text)
  if (!url) return []
  const query = [...url.searchParams].filter(([name]) => isSecretName(name)).map(([, value]) => value)
  return [...query, url.password, decodeURIComponent(url.password)]
}
