import type { DatabaseConfig, Secret } from './config.ts'
import {
  addressesOf,
  algorithmOf,
  bearerKeyOf,
  booleanOf,
  databaseOf,
  hostOf,
  hostsOf,
  integerBetween,
  logLevelOf,
  modelNameOf,
  oneOf,
  originsOf,
  passwordOf,
  pathOf,
  roleNameOf,
  publicUrlOf,
  rangesOf,
  redisOf,
  secondsBetween,
  shareOf,
  systemUserOf,
  serviceUrlOf,
  signingKeyOf,
  signingKeysOf,
  usernameOf,
} from './setting-values.ts'

/** One setting: how it is read, what it is when nobody sets it, and what it means. */
export interface Setting<T> {
  readonly parse: (text: string) => T
  /** Parsed like any other value; undefined where unset has a meaning of its own. */
  readonly fallback: string | undefined
  /** The default as documentation shows it. */
  readonly shown: string
  readonly doc: string
}

function setting<T>(fallback: string, parse: (text: string) => T, doc: string): Setting<T> {
  return { parse, fallback, shown: fallback, doc }
}

/** A setting without a value of its own: `shown` says what happens then. */
function optional<T>(shown: string, parse: (text: string) => T, doc: string): Setting<T | undefined> {
  return { parse, fallback: undefined, shown, doc }
}

const BODY_BYTES_DEFAULT = String(4 * 1024 * 1024)
const RESULT_BYTES_DEFAULT = String(64 * 1024 * 1024)
const RATE_MAX = 1_000_000_000
const CACHE_BYTES_DEFAULT = String(64 * 1024 * 1024)
const BYTES_MAX = 1024 * 1024 * 1024

/**
 * Every static setting, by its key in the file's `settings`. The environment's name is `META_MCP_` and the key in capitals.
 * `docs/reference/settings.md` and `.env.example` are generated from this table.
 */
export const SETTINGS = {
  host: setting(
    '127.0.0.1',
    hostOf,
    'Address to listen on. Where other machines reach it, name the gateway in `allowed_hosts`, and use TLS: here, or of a proxy in front.',
  ),
  port: setting('8000', integerBetween(0, 65_535), 'Port to listen on; 0 takes a free one and prints it.'),
  debug: setting(
    'false',
    booleanOf,
    'More detail in logs: the level is DEBUG unless one is set. Never a stack in a reply.',
  ),
  secret_key: optional<Secret>(
    'generated into the data dir',
    signingKeyOf,
    'Signs tokens, and seals session ids, cursors and stored secrets. At least 32 bytes; guessable and well-known values are refused. Several gateways on one database need the same.',
  ),
  previous_secret_keys: setting(
    '',
    signingKeysOf,
    'Keys that were the secret key before, separated by commas: what they sealed still opens, tokens that they signed are good until they end.',
  ),
  database_url: optional<DatabaseConfig>(
    'metamcp.db in the data dir',
    databaseOf,
    '`sqlite:PATH` or `postgresql://USER:PASSWORD@HOST/DATABASE`.',
  ),
  redis_url: optional<Secret>(
    'none',
    redisOf,
    '`redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]` or `rediss://` for several gateways on one PostgreSQL: they count rate limits and failed logins together and hear at once what was revoked. While it is away each goes on for itself. One database of Redis for each deployment.',
  ),
  logging_level: optional('INFO', logLevelOf, 'DEBUG, INFO, WARNING or ERROR.'),
  data_dir: setting('~/.metamcp', pathOf, 'Where the embedded database and the keys are kept.'),
  egress_allow: setting(
    '',
    rangesOf,
    'Hosts and CIDR ranges in private networks that servers and tools registered over the API may have. Those in the config file are trusted.',
  ),
  stdio_registration: setting(
    'auto',
    oneOf(['auto', 'on', 'off']),
    'Whether commands may be registered over the API: `auto` means only while listening on loopback.',
  ),
  stdio_user: optional(
    'the user of the gateway',
    systemUserOf,
    '`UID:GID` as which all commands run that the gateway starts, so that they can read neither its data dir nor its memory. Only for a gateway that runs as root.',
  ),
  expose: setting(
    'all',
    oneOf(['all', 'search', 'auto']),
    'What `/mcp` lists: `all` tools, `search` (the three meta-tools instead), or `auto` (those once the definitions exceed 10,000 tokens). Namespaces have a key of their own.',
  ),
  metrics_enabled: setting('true', booleanOf, 'Whether there is a `GET /metrics` for Prometheus.'),
  otlp_endpoint: optional<string>(
    'none',
    serviceUrlOf,
    'Where traces of calls go, as OTLP over HTTP: a collector or Jaeger, like `http://localhost:4318`; where it is not set, that of `OTEL_EXPORTER_OTLP_ENDPOINT`. They say which tool was called and how long each part took, never arguments or results.',
  ),
  trace_sample_ratio: setting(
    '1',
    shareOf,
    'Which share of the calls is traced, 0 to 1; 0.01 costs next to nothing. A caller that sends `traceparent` has decided for its own calls.',
  ),
  audit_unavailable: setting(
    'spool',
    oneOf(['spool', 'block']),
    'What becomes of calls while their audit records cannot be written: `spool` lets them go on and keeps up to 10,000 records in memory, then callers wait; `block` refuses them. Changes are refused either way.',
  ),
  history_retention_days: setting(
    '30',
    integerBetween(0, 36_500),
    'How many days calls and searches stay in their histories; 0 for ever. The audit is not pruned.',
  ),
  history_payloads: setting(
    'none',
    oneOf(['none', 'arguments', 'all']),
    'What the history keeps of what calls carry: `none`, `arguments`, or `all` (results too), without what is secret by schema or by name, and up to 16 kB each.',
  ),
  history_statistics_days: setting(
    '400',
    integerBetween(0, 36_500),
    'How many days calls count in the statistics of tools and servers, also after their rows are gone; 0 for ever.',
  ),
  slow_call_seconds: setting(
    '5',
    secondsBetween(0.001, 86_400),
    'A call that takes longer leaves a warning in the log.',
  ),
  tool_timeout_seconds: setting(
    '30',
    secondsBetween(0.1, 86_400),
    'How long a tool call may be silent, where neither server nor tool sets `timeoutMs`.',
  ),
  tool_retry_attempts: setting(
    '3',
    integerBetween(1, 10),
    'How often a call is tried at most, where neither server nor tool sets `retry`. Only what reached no server, what is read-only or idempotent, and what a server put off with 429 and Retry-After (then not before that time), is tried again.',
  ),
  circuit_breaker_failure_threshold: setting(
    '5',
    integerBetween(1, 1000),
    'So many failures in a row (no connection, no answer in time, 5xx) open the breaker of a server or HTTP tool: its calls are refused at once.',
  ),
  circuit_breaker_recovery_seconds: setting(
    '60',
    secondsBetween(0.1, 86_400),
    'After how long an open breaker lets calls through again, to probe.',
  ),
  circuit_breaker_success_threshold: setting(
    '2',
    integerBetween(1, 1000),
    'So many successful probes close the breaker; no more than these are let through at once. One that fails opens it again.',
  ),
  public_url: optional<string>(
    'the address that it listens at',
    publicUrlOf,
    'Where others reach the gateway, like `https://tools.example.com`: clients log in there. Its host is allowed like `allowed_hosts`.',
  ),
  allowed_hosts: setting('', hostsOf, 'Host names that requests may carry, beside the loopback names.'),
  allowed_origins: setting(
    '',
    originsOf,
    'Web origins whose pages may use the gateway and read its answers (CORS), each in full: `https://app.example.com`. Pages of its own hosts need no entry.',
  ),
  trusted_proxies: setting(
    '',
    addressesOf,
    'Addresses and ranges of reverse proxies in front: only their `X-Forwarded-For` and `X-Forwarded-Proto` are believed.',
  ),
  tls_cert_file: optional<string>(
    'none',
    pathOf,
    'Certificate with its chain, PEM: the gateway then speaks HTTPS, TLS 1.2 or newer. A renewed one is taken while it runs, when the files change or at SIGHUP.',
  ),
  tls_key_file: optional<string>('none', pathOf, 'Its private key, PEM, readable by its owner only.'),
  tls_client_ca_file: optional<string>(
    'none',
    pathOf,
    'Callers must show a certificate of these authorities (mTLS), beside their credential.',
  ),
  handshake_timeout_seconds: setting(
    '60',
    secondsBetween(0.1, 3600),
    'How long a server that is connected may take to introduce itself: a first start may have to download it. One behind a URL gets 15 seconds at most.',
  ),
  session_idle_seconds: setting(
    '3600',
    secondsBetween(1, 604_800),
    'After how long a session of a client that does nothing and has no stream open is over.',
  ),
  request_timeout_seconds: setting(
    '30',
    secondsBetween(0.1, 3600),
    'How long a request may take to arrive, headers and body; then its connection gets 408 and ends.',
  ),
  max_streams: setting(
    '1000',
    integerBetween(1, 1_000_000),
    'How many event streams (news, not calls) one caller may hold open at once; one more gets 429.',
  ),
  grace_period_seconds: setting(
    '10',
    secondsBetween(0, 3600),
    'How long a stopping gateway waits for calls that still run.',
  ),
  anonymous_role: setting(
    'none',
    roleNameOf,
    'The role of callers without a credential: `none` (everybody needs a token or an API key), viewer, user, developer, operator, admin, or one of your own. Only while the gateway listens on loopback: everybody on the machine has it.',
  ),
  rate_limit_login: setting(
    '300',
    integerBetween(0, RATE_MAX),
    'Logins and refreshes a minute from one address (of IPv6 the /64); 0 for any number. Wrong passwords are slowed down much earlier.',
  ),
  rate_limit_management: setting(
    '12000',
    integerBetween(0, RATE_MAX),
    'REST requests a minute of one principal, those that run or find tools aside; 0 for any number.',
  ),
  rate_limit_calls: setting(
    '3000000',
    integerBetween(0, RATE_MAX),
    'MCP requests and tools run or searched over REST, together, a minute of one principal; 0 for any number. The default stops nobody: set what your servers bear.',
  ),
  algorithm: setting(
    'HS256',
    algorithmOf,
    'What signs access tokens: HS256, HS384 or HS512 with the secret key (of 32, 48 and 64 bytes at least); RS256 to RS512, PS256 to PS512, ES256 to ES512 or EdDSA with a key of `META_MCP_SIGNING_KEY_FILE`. `/.well-known/jwks.json` has the public keys.',
  ),
  signing_key_file: optional<string>(
    'none',
    pathOf,
    'PEM file with the private key for the algorithms that are not HS. It may hold others behind it: keys that signed before, whose tokens are good until they end.',
  ),
  access_token_expire_minutes: setting('30', integerBetween(1, 1440), 'How long an access token is good.'),
  refresh_token_expire_days: setting('14', integerBetween(1, 365), 'How long a login lasts that nobody uses.'),
  admin_username: setting('admin', usernameOf, 'The first administrator, made when there is no user at all.'),
  admin_password: optional<Secret>('generated and shown once', passwordOf, 'Its password: 12 to 128 characters.'),
  search_embedder: setting(
    'minilm',
    oneOf(['minilm', 'static']),
    'What finds tools by meaning: `minilm` computes in a thread of its own that takes some 250 MB once somebody searches; `static` only looks up words.',
  ),
  search_learning: setting(
    'true',
    booleanOf,
    'Whether a search that is followed by a successful call of a tool it found helps later searches find that tool.',
  ),
  search_embeddings_url: optional<string>(
    'none',
    serviceUrlOf,
    'OpenAI-compatible embeddings (Ollama, TEI, vLLM, OpenAI) that take the place of the embedded model, which answers while they fail: a base like `http://localhost:11434/v1`, or the whole address. They get descriptions of tools, queries, and what was learned.',
  ),
  search_embeddings_model: optional<string>(
    'none',
    modelNameOf,
    'The model to ask for; needed with `search_embeddings_url`. Another one means that all tools are computed anew.',
  ),
  search_embeddings_key: optional<Secret>('none', bearerKeyOf, 'Sent to the embeddings as Bearer.'),
  search_rerank_url: optional<string>(
    'none',
    serviceUrlOf,
    'A reranker (`/rerank` of TEI, Cohere, Jina, Voyage, vLLM) that puts the 30 best tools of each semantic or hybrid search in order: its base, or the whole address. It gets the query and the descriptions of these tools.',
  ),
  search_rerank_model: optional<string>('none', modelNameOf, 'The model to ask for, where the reranker has several.'),
  search_rerank_key: optional<Secret>('none', bearerKeyOf, 'Sent to the reranker as Bearer.'),
  cache_enabled: setting(
    'true',
    booleanOf,
    'Whether results may be given again: of read-only tools that have a `cache` in the file or over the API, and of no others.',
  ),
  cache_ttl: setting(
    '300',
    secondsBetween(0.1, 604_800),
    'Seconds that a result is good where its `cache` names none.',
  ),
  cache_max_bytes: setting(
    CACHE_BYTES_DEFAULT,
    integerBetween(1024 * 1024, 64 * BYTES_MAX),
    'Memory for results that are kept; what nobody asked for longest goes first, and none may take more than an eighth.',
  ),
  max_body_bytes: setting(
    BODY_BYTES_DEFAULT,
    integerBetween(1024, BYTES_MAX),
    'Largest request body that is accepted.',
  ),
  max_result_bytes: setting(
    RESULT_BYTES_DEFAULT,
    integerBetween(1024, BYTES_MAX),
    'Largest single message that is accepted from a server.',
  ),
} as const satisfies Record<string, Setting<unknown>>

export type SettingKey = keyof typeof SETTINGS
/** The parsed value of every setting. */
export type SettingValues = { readonly [K in SettingKey]: ReturnType<(typeof SETTINGS)[K]['parse']> }

/** Names that other programs give the same setting; ours goes first. */
export const COMMON_VARIABLES: Partial<Record<SettingKey, string>> = { otlp_endpoint: 'OTEL_EXPORTER_OTLP_ENDPOINT' }

export const ENVIRONMENT_PREFIX = 'META_MCP_'
/** The environment variable that names the config file; it has no key in the file. */
export const CONFIG_VARIABLE = `${ENVIRONMENT_PREFIX}CONFIG`
/** The environment variable with the API key of those who talk to a gateway: commands, and `stdio`. */
export const KEY_VARIABLE = `${ENVIRONMENT_PREFIX}API_KEY`
export const KEY_DOC = 'API key that commands and `stdio` show to the gateway; the gateway itself does not read it.'
export const CONFIG_DOC =
  'YAML or JSON file with servers, tools, namespaces, guards, discovery and settings. A change on disk or SIGHUP reloads all but the settings.'

/** `logging_level` → `META_MCP_LOGGING_LEVEL`. */
export function environmentName(key: string): string {
  return ENVIRONMENT_PREFIX + key.toUpperCase()
}

export function settingKeys(): SettingKey[] {
  return Object.keys(SETTINGS) as SettingKey[]
}
