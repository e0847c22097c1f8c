import { RE2JS } from 're2js'
import { z } from 'zod'
import { headers, httpUrl, name } from './scalars.ts'

const namespaceName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'stands in an address: 1 to 64 letters, digits, "_" or "-"')

/** YAML writes `PORT: 8080` and `DEBUG: true` without quotes; a process gets them as text. */
const scalarText = z
  .union([z.string(), z.number(), z.boolean()], { error: 'must be text, a number, true or false' })
  .transform(String)
const texts = z.record(z.string(), scalarText)
const patterns = z.array(z.string().min(1))
const json = z.record(z.string(), z.json())
const milliseconds = z.int().min(1).max(86_400_000)

/** How calls fare that meet trouble. */
const endurance = {
  breaker: z
    .strictObject({
      failures: z.int().min(1).max(1000).optional(),
      recoverySeconds: z.number().min(0.1).max(86_400).optional(),
      successes: z.int().min(1).max(1000).optional(),
    })
    .optional(),
  retry: z.strictObject({ attempts: z.int().min(1).max(10) }).optional(),
}

const cacheSeconds = z.number().min(0).max(604_800)
/** How results of read-only tools are kept. */
const cacheEntry = z
  .strictObject({
    ttlSeconds: cacheSeconds,
    staleWhileRevalidateSeconds: cacheSeconds,
    staleIfErrorSeconds: cacheSeconds,
  })
  .partial()

/** What may be said of one tool, of a server or plain. */
const toolRules = {
  ...endurance,
  timeoutMs: milliseconds.optional(),
  fallback: z.string().min(1).optional(),
  readOnly: z.boolean().optional(),
  cache: cacheEntry.optional(),
}
type Keys = Readonly<Record<string, unknown>>
/** Rules about which keys stand together are checked even where a value is wrong, so that all problems show at once. */
const rule = (message: string) => ({ message, when: hasObject })

/** An MCP server: a command to start or an address to connect to, as MCP clients write it, with the gateway's own keys beside. */
const serverEntry = z
  .strictObject({
    command: z.string().min(1).optional(),
    args: z.array(scalarText).optional(),
    env: texts.optional(),
    cwd: z.string().min(1).optional(),
    url: z.url({ protocol: /^(https?|wss?)$/, error: 'must be an http, https, ws or wss address' }).optional(),
    headers: texts.pipe(headers).optional(),
    type: z.enum(['stdio', 'http', 'streamable-http', 'streamableHttp', 'sse', 'websocket', 'ws']).optional(),
    transport: z.enum(['auto', 'streamable-http', 'sse', 'websocket']).optional(),
    era: z.enum(['auto', 'legacy', 'modern']).optional(),
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9_-]{0,40}$/, 'stands in tool names: at most 40 letters, digits, "_" or "-"')
      .optional(),
    enabled: z.boolean().optional(),
    disabled: z.boolean().optional(),
    start: z.enum(['lazy', 'eager']).optional(),
    share: z.enum(['auto', 'always', 'never']).optional(),
    timeoutMs: milliseconds.optional(),
    ...endurance,
    tools: z.record(z.string(), z.strictObject(toolRules)).optional(),
    maxConcurrency: z.int().min(1).max(10_000).optional(),
    cache: cacheEntry.optional(),
    description: z.string().optional(),
  })
  .refine(hasOneKind, rule('needs either "command" or "url", and not both'))
  .refine((entry) => !('url' in entry && hasAny(entry, ['args', 'env', 'cwd'])), {
    ...rule('"args", "env" and "cwd" belong to a server with "command"'),
  })
  .refine((entry) => !('command' in entry && hasAny(entry, ['headers', 'transport'])), {
    ...rule('"headers" and "transport" belong to a server with "url"'),
  })
  .refine((entry) => entry.type === undefined || (entry.type === 'stdio') === 'command' in entry, {
    ...rule('"type" contradicts the other keys: stdio goes with "command", every other with "url"'),
  })
  .refine((entry) => !(entry.enabled === true && entry.disabled === true), {
    ...rule('is both enabled and disabled'),
  })

/** A plain HTTP API that is offered as a tool. */
const toolEntry = z.strictObject({
  endpoint: httpUrl,
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).optional(),
  description: z.string().optional(),
  headers: texts.pipe(headers).optional(),
  mapping: z.record(z.string(), z.enum(['path', 'query', 'header', 'body'])).optional(),
  inputSchema: json.refine((schema) => schema['type'] === 'object', 'must have "type: object"').optional(),
  outputSchema: json.optional(),
  annotations: json.optional(),
  category: z.string().optional(),
  tags: z.array(z.string()).optional(),
  capabilities: z.array(z.string()).optional(),
  securityLevel: z.int().min(0).max(10).optional(),
  version: scalarText.optional(),
  metadata: json.optional(),
  enabled: z.boolean().optional(),
  ...toolRules,
})

const namespaceEntry = z.strictObject({
  description: z.string().optional(),
  servers: z.array(name).optional(),
  tools: z.strictObject({ include: patterns.optional(), exclude: patterns.optional() }).optional(),
  expose: z.enum(['all', 'search', 'auto']).optional(),
  pinned: patterns.optional(),
  cache: cacheEntry.optional(),
  overrides: z
    .record(z.string(), z.strictObject({ name: z.string().optional(), description: z.string().optional() }))
    .optional(),
})

const guardEntry = z
  .strictObject({
    tools: patterns.min(1),
    deny: z.string().min(1).optional(),
    setArguments: json.optional(),
    redact: z
      .strictObject({
        pattern: z.string().min(1).refine(isLinearPattern, 'is no regular expression that runs in linear time'),
        replacement: z.string(),
      })
      .optional(),
    module: z.string().min(1).optional(),
  })
  .refine((entry) => hasAny(entry, ['deny', 'setArguments', 'redact', 'module']), {
    ...rule('does nothing; give it "deny", "setArguments", "redact" or "module"'),
  })

const discoveryEntry = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('file'), path: z.string().min(1) }),
  z.strictObject({
    kind: z.literal('registry'),
    url: httpUrl,
    search: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal('network'),
    hosts: z.array(z.string().min(1)).min(1),
    ports: z.array(z.int().min(1).max(65_535)).min(1),
    path: z.string().startsWith('/', 'must begin with "/"').optional(),
  }),
])

const settingValue = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())], {
  error: 'must be text, a number, true, false or a list of texts',
})

/**
 * The config file after `${…}` was expanded: a client's `{"mcpServers": …}` is as good as the full form.
 * `settings` has the keys of the settings table in `config`, which checks names and values.
 */
export const configFileSchema = z
  .strictObject({
    mcpServers: z.record(name, serverEntry).optional(),
    servers: z.record(name, serverEntry).optional(),
    tools: z.record(name, toolEntry).optional(),
    namespaces: z.record(namespaceName, namespaceEntry).optional(),
    settings: z.record(z.string(), settingValue).optional(),
    guards: z.array(guardEntry).optional(),
    discovery: z.array(discoveryEntry).optional(),
  })
  .refine((file) => namesInBoth(file.servers, file.mcpServers).length === 0, {
    ...rule('"servers" and "mcpServers" name the same server'),
  })

export type ConfigFile = z.infer<typeof configFileSchema>
export type CacheEntry = z.infer<typeof cacheEntry>
export type ServerEntry = z.infer<typeof serverEntry>
export type ToolRulesEntry = z.infer<z.ZodObject<typeof toolRules>>

function hasObject({ value }: { readonly value: unknown }): boolean {
  return typeof value === 'object' && value !== null
}

function hasAny(entry: Keys, keys: readonly string[]): boolean {
  return keys.some((key) => entry[key] !== undefined)
}

function hasOneKind(entry: Keys): boolean {
  return 'command' in entry !== 'url' in entry
}

function namesInBoth(one: Keys | undefined, other: Keys | undefined): string[] {
  return Object.keys(one ?? {}).filter((each) => Object.hasOwn(other ?? {}, each))
}

function isLinearPattern(pattern: string): boolean {
  try {
    RE2JS.compile(pattern)
    return true
  } catch {
    return false
  }
}
