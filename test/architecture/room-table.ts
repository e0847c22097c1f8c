/** What a room may import from other rooms. `types` come in addition to `values`. */
export interface Room {
  readonly holds: string
  readonly values: readonly string[]
  readonly types: readonly string[]
}

/**
 * The rooms of `src/`, as docs/architecture/rooms.md shows them. Rooms that have no folder yet keep their row,
 * so that whoever builds them finds the door. Where a row says more than the first blueprint did, the reason is in
 * docs/decisions/0002-room-table.md.
 */
export const ROOMS: Readonly<Record<string, Room>> = {
  kernel: {
    holds: 'errors and codes, ids, clock, Logger type, JSON text and JSON-RPC envelopes; no I/O, no package',
    values: [],
    types: [],
  },
  contract: {
    holds: 'zod schemas of all that crosses the HTTP API and of the config file',
    values: [],
    types: [],
  },
  config: {
    holds: 'env + file + flags → one frozen `Config`; the only reader of `process.env`',
    values: ['kernel', 'contract'],
    // The file's servers, tools and namespaces become drafts of the registry.
    types: ['registry'],
  },
  telemetry: {
    holds: 'logs, metrics, tracing; one function a business event',
    values: ['kernel'],
    types: ['config'],
  },
  resilience: {
    holds: 'breaker, retry, rate limit, bulkhead, cache; the only one of each',
    values: ['kernel'],
    types: [],
  },
  registry: {
    holds: 'what exists: upstreams, tools, namespaces, exposed names, catalog; store ports',
    values: ['kernel'],
    types: [],
  },
  identity: {
    holds: 'who is calling: credentials → `Principal`',
    values: ['kernel'],
    types: [],
  },
  policy: {
    holds: 'may they: `decide(principal, action, resource)`',
    values: ['kernel'],
    types: ['identity'],
  },
  audit: {
    holds: 'who did what: records in a chain of hashes; its writer and its check',
    values: ['kernel'],
    // Calls become records; a record says which rule decided.
    types: ['gateway', 'identity'],
  },
  search: {
    holds: 'keyword, semantic and hybrid search over the catalog',
    // It asks the policy itself: what may not be found is not even scored.
    values: ['kernel'],
    types: ['registry', 'identity', 'policy'],
  },
  upstream: {
    holds: 'our connections out: transports, era probe, supervisor, pool, HTTP tools',
    values: ['kernel', 'registry', 'resilience'],
    // `Call` and `Caller` are the gateway's words; an upstream session takes them as they are.
    types: ['gateway', 'identity'],
  },
  gateway: {
    holds: 'the call path: table, interceptors, routing, dispatch',
    values: ['kernel', 'registry', 'policy', 'identity', 'resilience'],
    types: ['upstream'],
  },
  oauth: {
    holds: 'the authorization server: clients of MCP get tokens with the consent of a user',
    values: ['kernel', 'identity'],
    types: [],
  },
  mcp: {
    holds: 'our MCP endpoint in: eras, sessions, lists and calls of all primitives',
    values: ['kernel', 'registry', 'gateway', 'search', 'identity'],
    types: [],
  },
  http: {
    holds: 'REST API, error body, OpenAPI, health',
    values: ['kernel', 'contract', 'registry', 'gateway', 'search', 'identity', 'policy', 'audit'],
    types: ['mcp', 'oauth'],
  },
  storage: {
    holds: 'SQLite, PostgreSQL and Redis adapters of the ports; migrations',
    values: ['kernel', 'resilience'],
    // The rooms whose ports it fills, and the settings it is opened with.
    types: ['registry', 'gateway', 'search', 'policy', 'identity', 'audit', 'oauth', 'telemetry', 'config'],
  },
  cli: {
    holds: 'commands; talks to a running gateway over HTTP',
    values: ['kernel', 'contract', 'config'],
    types: [],
  },
}

/** The composition root: what surfaces stand on, and the surfaces. They may name every room. */
export const COMPOSITION: readonly string[] = ['app.ts', 'foundation.ts', 'stores.ts', 'vitals.ts']

/** Rooms that `main.ts` may name; everything else it reaches through `app.ts`, which may name all. */
export const MAIN_ROOMS: readonly string[] = ['kernel', 'contract', 'config', 'telemetry', 'cli']

/** Names of rooms that say nothing about what is inside. */
export const FORBIDDEN_ROOMS: readonly string[] = [
  'utils',
  'util',
  'common',
  'core',
  'services',
  'manager',
  'managers',
  'helpers',
  'lib',
  'shared',
  'misc',
]

/** Who alone may import what, as the start of a module specifier. */
export const RESERVED: readonly {
  readonly module: RegExp
  readonly rooms: readonly string[]
  readonly what: string
}[] = [
  { module: /^(kysely|pg|node:sqlite)($|\/)/, rooms: ['storage'], what: 'SQL' },
  { module: /^ioredis($|\/)/, rooms: ['storage'], what: 'Redis' },
  { module: /^(node:)?child_process$/, rooms: ['upstream'], what: 'child processes' },
  { module: /^(@opentelemetry\/|prom-client$)/, rooms: ['telemetry'], what: 'traces and metrics of others' },
  { module: /^@modelcontextprotocol\//, rooms: ['mcp', 'upstream'], what: 'the MCP SDK' },
]

export const LINES_MAX = { file: 400, app: 200, main: 60, readme: 30 } as const
