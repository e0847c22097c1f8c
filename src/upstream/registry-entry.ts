import { z } from 'zod'
import type { Connection } from '#registry/records'
import type { FoundServer } from './found-server.ts'
import { plainName } from './found-server.ts'

/** server.json (2025-12-11), the members that say how to reach a server; what stands beside them is ignored. */
const input = z.object({
  value: z.string().optional(),
  default: z.string().optional(),
  isRequired: z.boolean().optional(),
})
const named = input.extend({ name: z.string() })
const argument = input.extend({ type: z.string().optional(), name: z.string().optional() })
const list = <T extends z.ZodType>(item: T) => z.array(item).max(100).nullish()

const remote = z.object({ type: z.string(), url: z.string(), headers: list(named) })
const npmPackage = z.object({
  registryType: z.string(),
  registryBaseUrl: z.string().optional(),
  identifier: z.string(),
  version: z.string().optional(),
  runtimeHint: z.string().optional(),
  transport: z.object({ type: z.string() }).optional(),
  runtimeArguments: list(argument),
  packageArguments: list(argument),
  environmentVariables: list(named),
})

const OFFICIAL = 'io.modelcontextprotocol.registry/official'
const official = z.object({ status: z.string().optional(), isLatest: z.boolean().optional() })

export const registryEntry = z.object({
  server: z.object({
    name: z.string().min(1).max(200),
    description: z.string().max(20_000).optional(),
    status: z.string().optional(),
    remotes: list(remote),
    packages: list(npmPackage),
  }),
  _meta: z.object({ [OFFICIAL]: official.optional() }).optional(),
})
export type RegistryEntry = z.infer<typeof registryEntry>

/** A server of a registry: at its remote address if it has one that needs no secret, else as an npm package. Undefined for one that was withdrawn. */
export function foundInRegistry({ server, _meta }: RegistryEntry): FoundServer | undefined {
  const about = _meta?.[OFFICIAL]
  const status = about?.status ?? server.status ?? 'active'
  if (status !== 'active' || about?.isLatest === false) return undefined
  const connection =
    first(server.remotes, (each) => remoteConnection(each)) ?? first(server.packages, (each) => npmConnection(each))
  return {
    name: plainName(server.name),
    ...(connection
      ? { connection }
      : { refused: 'It has neither an open address nor an npm package that starts without more settings' }),
    ...(server.description === undefined ? {} : { description: server.description }),
  }
}

function first<T>(
  items: readonly T[] | null | undefined,
  of: (item: T) => Connection | undefined,
): Connection | undefined {
  for (const item of items ?? []) {
    const connection = of(item)
    if (connection) return connection
  }
  return undefined
}

const TRANSPORTS = { 'streamable-http': 'streamable-http', sse: 'sse' } as const

function remoteConnection({ type, url, headers }: z.infer<typeof remote>): Connection | undefined {
  if ((type !== 'streamable-http' && type !== 'sse') || url.includes('{')) return undefined
  const values = namedValues(headers)
  return values && { kind: 'http', url, headers: values, transport: TRANSPORTS[type] }
}

const NPM_NAME = /^(@[a-z\d~][a-z\d._~-]*\/)?[a-z\d~][a-z\d._~-]*$/
const EXACT_VERSION = /^\d+\.\d+\.\d+(-[\w.-]+)?(\+[\w.-]+)?$/
const NPM_REGISTRY = /^https:\/\/registry\.npmjs\.org\/?$/

/** `npx -y name@version arguments…`, started without a shell. Arguments for npx itself are not taken. */
function npmConnection(pack: z.infer<typeof npmPackage>): Connection | undefined {
  const { identifier, version = '', registryBaseUrl = 'https://registry.npmjs.org' } = pack
  const isPlain =
    pack.registryType === 'npm' &&
    NPM_NAME.test(identifier) &&
    EXACT_VERSION.test(version) &&
    NPM_REGISTRY.test(registryBaseUrl) &&
    (pack.transport?.type ?? 'stdio') === 'stdio' &&
    (pack.runtimeHint ?? 'npx') === 'npx' &&
    (pack.runtimeArguments ?? []).every(({ name, value }) => ['-y', '--yes'].includes(name ?? value ?? ''))
  const args = isPlain ? argumentWords(pack.packageArguments) : undefined
  const env = namedValues(pack.environmentVariables)
  return args && env && { kind: 'stdio', command: 'npx', args: ['-y', `${identifier}@${version}`, ...args], env }
}

/** The declared values. Undefined when one is needed that nobody here knows. */
function namedValues(items: readonly z.infer<typeof named>[] | null | undefined): Record<string, string> | undefined {
  const values: Record<string, string> = {}
  for (const item of items ?? []) {
    const value = knownValue(item)
    if (value !== undefined) values[item.name] = value
    else if (item.isRequired === true) return undefined
  }
  return values
}

function argumentWords(items: readonly z.infer<typeof argument>[] | null | undefined): string[] | undefined {
  const words: string[] = []
  for (const item of items ?? []) {
    const value = knownValue(item)
    if (value === undefined && item.isRequired === true) return undefined
    const isFlag = item.type === 'named' && item.name !== undefined
    if (isFlag && (value !== undefined || item.isRequired === true)) words.push(item.name ?? '')
    if (value !== undefined) words.push(value)
  }
  return words
}

/** A value with `{places}` is no value: somebody has to fill them. */
function knownValue({ value, default: fallback }: z.infer<typeof input>): string | undefined {
  return [value, fallback].find((each) => each !== undefined && !each.includes('{'))
}
