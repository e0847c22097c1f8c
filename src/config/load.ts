import { readFileSync } from 'node:fs'
import type { Config, DynamicConfig } from './config.ts'
import { dynamicOf } from './dynamic.ts'
import { anonymousProblems, edgeConfig, stdioUserProblems, TLS_NEEDS } from './edge-settings.ts'
import { environment, type Environment } from './env.ts'
import { readConfigFile, type FileReading, type FileSettings } from './file.ts'
import { freezeDeep } from './freeze.ts'
import { needProblems } from './needs.ts'
import { nearest } from './nearest.ts'
import { ConfigError, fileSource, type Problem } from './problems.ts'
import { PROVIDER_NEEDS, searchConfig } from './search-settings.ts'
import { defaultDatabase, pathOf } from './setting-values.ts'
import {
  CONFIG_VARIABLE,
  ENVIRONMENT_PREFIX,
  environmentName,
  KEY_VARIABLE,
  COMMON_VARIABLES,
  SETTINGS,
  settingKeys,
  type SettingKey,
  type SettingValues,
} from './settings.ts'

/** What the command line says; it beats the environment, which beats the file. */
export interface ConfigFlags {
  readonly config?: string | undefined
  readonly host?: string | undefined
  readonly port?: string | undefined
  readonly dataDir?: string | undefined
}

export interface LoadOptions {
  readonly flags?: ConfigFlags
  readonly env?: Environment
  readonly readFile?: (path: string) => string
}

/** Reads defaults, file, environment and flags. Throws one ConfigError that lists every problem. */
export function loadConfig(options: LoadOptions): Config {
  const { flags = {}, env = environment() } = options
  const path = flags.config ?? (env[CONFIG_VARIABLE] || undefined)
  const file = path === undefined ? undefined : pathOf(path)
  const reading: FileReading =
    file === undefined ? { file: {}, settings: {}, problems: [] } : readConfigFile(file, contextOf(options))
  const sources = { flags, env, settings: reading.settings, file: file ?? '' }
  const problems: Problem[] = [...reading.problems, ...unknownVariables(env), ...unknownSettings(sources)]
  const values = readSettings(sources, problems)
  const sourceOf = (key: SettingKey) => givenValue(key, sources)?.source
  problems.push(...needProblems([...PROVIDER_NEEDS, ...TLS_NEEDS], sourceOf))
  // Values that could not be read are problems already.
  if (problems.length === 0)
    problems.push(...anonymousProblems(values, sourceOf), ...stdioUserProblems(values, sourceOf))
  if (problems.length > 0 || !reading.file) throw new ConfigError(problems)
  return freezeDeep({
    ...staticConfig(values),
    ...(file === undefined ? {} : { file }),
    dynamic: dynamicOf(reading.file, values.tool_timeout_seconds),
  })
}

/** The data dir alone: for commands that only look for a running gateway. */
export function dataDirOf(env: Environment): string {
  return pathOf(env[environmentName('data_dir')] || (SETTINGS.data_dir.fallback ?? ''))
}

export interface Reloaded {
  readonly dynamic: DynamicConfig
  /** The file's `settings` as they stand now; they take effect at the next start. */
  readonly settings: FileSettings
}

/** Reads the config file again. Throws ConfigError like `loadConfig`. */
export function reloadFile(file: string, toolTimeoutMs: number, options: LoadOptions = {}): Reloaded {
  const reading = readConfigFile(file, contextOf(options))
  const sources = { flags: {}, env: {}, settings: reading.settings, file }
  const problems: Problem[] = [...reading.problems, ...unknownSettings(sources)]
  readSettings(sources, problems)
  if (problems.length > 0 || !reading.file) throw new ConfigError(problems)
  return freezeDeep({ dynamic: dynamicOf(reading.file, toolTimeoutMs), settings: reading.settings })
}

interface Sources {
  readonly flags: ConfigFlags
  readonly env: Environment
  readonly settings: FileSettings
  readonly file: string
}

function contextOf(options: LoadOptions) {
  return {
    env: options.env ?? environment(),
    readFile: options.readFile ?? ((path: string) => readFileSync(path, 'utf8')),
  }
}

function staticConfig(values: SettingValues) {
  return {
    host: values.host,
    port: values.port,
    debug: values.debug,
    logLevel: values.logging_level ?? (values.debug ? ('DEBUG' as const) : ('INFO' as const)),
    dataDir: values.data_dir,
    database: values.database_url ?? defaultDatabase(values.data_dir),
    ...(values.redis_url ? { redis: values.redis_url } : {}),
    ...(values.secret_key ? { secretKey: values.secret_key } : {}),
    previousSecretKeys: values.previous_secret_keys,
    toolTimeoutMs: values.tool_timeout_seconds,
    endurance: enduranceConfig(values),
    handshakeTimeoutMs: values.handshake_timeout_seconds,
    sessionIdleMsMax: values.session_idle_seconds,
    streamsMax: values.max_streams,
    requestTimeoutMs: values.request_timeout_seconds,
    gracePeriodMs: values.grace_period_seconds,
    bodyBytesMax: values.max_body_bytes,
    resultBytesMax: values.max_result_bytes,
    publicUrl: values.public_url,
    ...edgeConfig(values),
    egressAllow: values.egress_allow,
    search: searchConfig(values),
    access: accessConfig(values),
    ratesPerMinute: {
      login: values.rate_limit_login,
      management: values.rate_limit_management,
      calls: values.rate_limit_calls,
    },
    cache: { enabled: values.cache_enabled, ttlMs: values.cache_ttl, bytesMax: values.cache_max_bytes },
    stdioRegistration: values.stdio_registration,
    stdioUser: values.stdio_user,
    expose: values.expose,
    metricsEnabled: values.metrics_enabled,
    ...(values.otlp_endpoint === undefined
      ? {}
      : { tracing: { endpoint: values.otlp_endpoint, sampleRatio: values.trace_sample_ratio } }),
    auditUnavailable: values.audit_unavailable,
    history: {
      days: values.history_retention_days,
      statisticsDays: values.history_statistics_days,
      payloads: values.history_payloads,
    },
    slowCallMs: values.slow_call_seconds,
  }
}

function enduranceConfig(values: SettingValues): Config['endurance'] {
  return {
    attempts: values.tool_retry_attempts,
    breaker: {
      failures: values.circuit_breaker_failure_threshold,
      recoveryMs: values.circuit_breaker_recovery_seconds,
      successes: values.circuit_breaker_success_threshold,
    },
  }
}

function accessConfig(values: SettingValues): Config['access'] {
  const password = values.admin_password
  return {
    anonymousRole: values.anonymous_role === 'none' ? undefined : values.anonymous_role,
    algorithm: values.algorithm,
    ...(values.signing_key_file === undefined ? {} : { signingKeyFile: values.signing_key_file }),
    accessTokenMs: values.access_token_expire_minutes * 60_000,
    refreshTokenMs: values.refresh_token_expire_days * 86_400_000,
    administrator: { username: values.admin_username, ...(password ? { password } : {}) },
  }
}

function readSettings(sources: Sources, problems: Problem[]): SettingValues {
  const entries = settingKeys().map((key) => [key, readSetting(key, sources, problems)] as const)
  return Object.fromEntries(entries) as SettingValues
}

function readSetting(key: SettingKey, sources: Sources, problems: Problem[]): unknown {
  const { parse, fallback } = SETTINGS[key]
  const given = givenValue(key, sources)
  try {
    if (given) return parse(given.text)
  } catch (error) {
    problems.push({ source: given?.source ?? key, text: error instanceof Error ? error.message : String(error) })
  }
  return fallback === undefined ? undefined : parse(fallback)
}

const FLAGS: Partial<Record<SettingKey, { readonly flag: keyof ConfigFlags; readonly shown: string }>> = {
  host: { flag: 'host', shown: '--host' },
  port: { flag: 'port', shown: '--port' },
  data_dir: { flag: 'dataDir', shown: '--data-dir' },
}

function givenValue(key: SettingKey, sources: Sources): { readonly text: string; readonly source: string } | undefined {
  const flag = FLAGS[key]
  const flagged = flag && sources.flags[flag.flag]
  if (flag && flagged !== undefined) return { text: flagged, source: `flag ${flag.shown}` }
  const variable = environmentName(key)
  const exported = sources.env[variable]
  // Compose files and CI systems export what is not set as an empty text.
  if (exported !== undefined && exported !== '') return { text: exported.trim(), source: `environment ${variable}` }
  const common = COMMON_VARIABLES[key]
  const shared = common === undefined ? undefined : sources.env[common]
  if (shared) return { text: shared.trim(), source: `environment ${common}` }
  const written = sources.settings[key]
  if (written === undefined) return undefined
  const text = Array.isArray(written) ? written.join(',') : String(written)
  return { text, source: fileSource(sources.file, ['settings', key]) }
}

const ALL_KEYS: readonly string[] = settingKeys()

function unknownVariables(env: Environment): Problem[] {
  const known = [CONFIG_VARIABLE, KEY_VARIABLE, ...ALL_KEYS.map(environmentName)]
  return Object.keys(env)
    .filter((name) => name.startsWith(ENVIRONMENT_PREFIX) && !known.includes(name))
    .map((name) => ({ source: `environment ${name}`, text: `unknown setting, did you mean ${nearest(name, known)}?` }))
}

function unknownSettings({ settings, file }: Sources): Problem[] {
  return Object.keys(settings)
    .filter((key) => !ALL_KEYS.includes(key))
    .map((key) => ({
      source: fileSource(file, ['settings', key]),
      text: `unknown key, did you mean "${nearest(key, ALL_KEYS)}"?`,
    }))
}
