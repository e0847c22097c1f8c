import type { Execution } from '#gateway/executions'
import type { User } from '#identity/users'
import { traceId, uuidv7 } from '#kernel/ids'
import type { UpstreamRecord } from '#registry/records'
import type { UpstreamSnapshot } from '#registry/snapshot'
import type { SearchRecord } from '#search/searches'

/** Strings that break what is not careful: quotes, SQL, terminators, direction marks, lone surrogates, prototypes. */
export const NAUGHTY_STRINGS = [
  `'; drop table upstreams; --`,
  `" or "1"="1`,
  '$1 ? :name %s \\ \\\\ \\0 \\u0000',
  'NUL \0 inside \0',
  'lone high \ud800 and low \udc00 surrogate',
  '\u202eright to left\u202c \u200b\ufeff',
  '👩‍👩‍👧‍👦 Ω≈ç√∫ 田中さん \u0301\u0301\u0301',
  '\t\r\n\u0001\u001f\u007f\u2028\u2029',
  '__proto__',
  'constructor',
  'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  'null',
  '',
  ' leading and trailing ',
  'long '.repeat(20_000),
  // Incompressible: PostgreSQL would fit the other into an index.
  Array.from({ length: 5_000 }, (_, index) => Math.imul(index, 2_654_435_761).toString(36)).join(''),
]

/** A complete record; what matters to the test is given. */
export function upstreamRecord(changes: Partial<UpstreamRecord> = {}): UpstreamRecord {
  const id = uuidv7()
  return {
    id,
    name: `server-${id}`,
    origin: 'api',
    createdAt: 1_800_000_000_000,
    updatedAt: 1_800_000_000_000,
    connection: { kind: 'stdio', command: 'node', args: ['server.js'], env: { KEY: 'value' } },
    prefix: 'files',
    enabled: true,
    era: 'auto',
    start: 'lazy',
    share: 'auto',
    timeoutMs: 30_000,
    maxConcurrency: 8,
    ...changes,
  }
}

export function upstreamSnapshot(changes: Partial<UpstreamSnapshot> = {}): UpstreamSnapshot {
  return {
    upstreamId: uuidv7(),
    fetchedAt: 1_800_000_000_000,
    verdict: { era: 'modern', protocolVersion: '2026-07-28', probedAt: 1_800_000_000_000 },
    capabilities: { tools: { listChanged: true } },
    tools: [{ key: 'read', text: '{"name":"read","x":1.0e400}' }],
    resources: [],
    templates: [],
    prompts: [],
    ...changes,
  }
}

export function execution(changes: Partial<Execution> = {}): Execution {
  const { startedAt = 1_800_000_000_000 } = changes
  return {
    id: uuidv7(startedAt),
    traceId: traceId(),
    kind: 'tool',
    name: 'files__read',
    server: 'files',
    principal: 'alice',
    surface: 'mcp',
    outcome: 'success',
    isError: false,
    startedAt,
    durationMs: 1.5,
    requestBytes: 120,
    resultBytes: 4_096,
    stages: ['authorize', 0.01, 'dispatch', 0.05],
    ...changes,
  }
}

export function searchRecord(changes: Partial<SearchRecord> = {}): SearchRecord {
  const { startedAt = 1_800_000_000_000 } = changes
  return {
    id: uuidv7(startedAt),
    principal: 'alice',
    query: 'send a message',
    mode: 'hybrid',
    surface: 'mcp',
    found: 3,
    total: 7,
    cached: false,
    startedAt,
    durationMs: 1.5,
    ...changes,
  }
}

export function userRecord(changes: Partial<User> = {}): User {
  const id = uuidv7()
  return {
    id,
    username: `user-${id}`,
    roles: ['user'],
    isActive: true,
    passwordHash: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaA',
    createdAt: 1_800_000_000_000,
    updatedAt: 1_800_000_000_000,
    passwordChangedAt: 1_800_000_000_000,
    tokenEpoch: 0,
    ...changes,
  }
}
