import type { Suite } from './suites.ts'

export type Row = {
  name: string
  transport: 'http' | 'stdio'
  era: 'both' | 'legacy' | 'modern'
  floors: Floors
  /** Nobody comes without a credential; the suites come with one. */
  isClosed?: true
}
/** Scenarios that must pass at least. A suite without a floor is not run. */
export type Floors = Partial<Record<Suite, number>>

const all: Floors = { '0.1.16': 32, '2025-11-25': 33, '2026-07-28': 40 }

export const throughGateway: Row[] = [
  { name: 'both', transport: 'http', era: 'both', floors: all },
  { name: 'legacy', transport: 'http', era: 'legacy', floors: { ...all, '2026-07-28': 37 } },
  { name: 'modern', transport: 'http', era: 'modern', floors: { '2025-11-25': 30, '2026-07-28': 40 } },
  { name: 'stdio', transport: 'stdio', era: 'both', floors: all },
  { name: 'bearer', transport: 'http', era: 'both', floors: all, isClosed: true },
]

/** Against the fixture itself nothing is bridged. */
export const direct: Row[] = [
  { name: 'both', transport: 'http', era: 'both', floors: all },
  { name: 'legacy', transport: 'http', era: 'legacy', floors: { '0.1.16': 32, '2025-11-25': 33 } },
  { name: 'modern', transport: 'http', era: 'modern', floors: { '2026-07-28': 40 } },
]

export const clientScenarios = [
  { name: 'initialize', version: '2025-11-25' },
  { name: 'tools_call', version: '2025-11-25' },
  { name: 'tools_call', version: '2026-07-28' },
  { name: 'elicitation-sep1034-client-defaults', version: '2025-11-25' },
  { name: 'sse-retry', version: '2025-11-25' },
  { name: 'request-metadata', version: '2026-07-28' },
  { name: 'http-standard-headers', version: '2026-07-28' },
  { name: 'http-custom-headers', version: '2026-07-28' },
  { name: 'http-invalid-tool-headers', version: '2026-07-28' },
  { name: 'sep-2322-client-request-state', version: '2026-07-28' },
  { name: 'json-schema-ref-no-deref', version: '2026-07-28' },
  { name: 'json-schema-2020-12-preservation', version: '2025-11-25' },
  { name: 'json-schema-2020-12-preservation', version: '2026-07-28' },
]
