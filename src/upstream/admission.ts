import type { LookupFunction } from 'node:net'
import { AppError } from '#kernel/errors'
import type { Connection } from '#registry/records'
import { commandProblem } from './command-rules.ts'
import { createEgress, type Egress, type EgressOptions } from './egress.ts'

export interface AdmissionOptions extends EgressOptions {
  /** Whether commands may be registered; `auto` means while listening on loopback only. */
  readonly stdioRegistration: 'auto' | 'on' | 'off'
  /** Working directories of commands lie here. */
  readonly dataDir: string
}

/** The part of a server or of an HTTP tool that says where it leads. */
type Destination = { readonly connection?: Connection } | { readonly endpoint: string }

/** The rules for what is registered over the API or found by discovery. What the operator's file names is trusted. */
export interface Admission {
  /**
   * Rejects with AppError `policy_violation`, in a sentence that says which rule and what an operator can do. Answers the rule that
   * lets in what would not be let in without it: for the audit.
   */
  admit(draft: Destination): Promise<string | undefined>
  /** For whoever connects later to what was admitted: names may lead elsewhere by then. */
  readonly guardedLookup: LookupFunction
  /** The same as `connect` of undici's Pool and Agent, for names and addresses. */
  guardedConnector: Egress['connector']
}

const SETTING = 'META_MCP_STDIO_REGISTRATION'
const HTTP_SCHEMES = ['http:', 'https:']
const WEBSOCKET_SCHEMES = ['ws:', 'wss:']

export function createAdmission(options: AdmissionOptions): Admission {
  const egress = createEgress(options)
  return {
    async admit(draft) {
      if ('endpoint' in draft) return egress.check(draft.endpoint, HTTP_SCHEMES)
      if (draft.connection?.kind === 'http') return egress.check(draft.connection.url, schemesOf(draft.connection))
      return draft.connection && admitCommand(draft.connection, options)
    },
    guardedLookup: egress.lookup,
    guardedConnector: egress.connector,
  }
}

function schemesOf({ transport }: Extract<Connection, { kind: 'http' }>): readonly string[] {
  if (transport === 'websocket') return WEBSOCKET_SCHEMES
  return transport === 'auto' ? [...HTTP_SCHEMES, ...WEBSOCKET_SCHEMES] : HTTP_SCHEMES
}

async function admitCommand(
  connection: Extract<Connection, { kind: 'stdio' }>,
  { stdioRegistration, isLoopbackOnly, dataDir }: AdmissionOptions,
): Promise<string> {
  if (stdioRegistration === 'off' || (stdioRegistration === 'auto' && !isLoopbackOnly)) {
    throw refused(`Commands are not taken here (${SETTING})`)
  }
  const problem = await commandProblem(connection, dataDir)
  if (problem !== undefined) throw refused(`The command is refused: ${problem}`)
  return `${SETTING}=${stdioRegistration}`
}

function refused(sentence: string): AppError {
  return new AppError('policy_violation', `${sentence}. An operator can name this server in the configuration file`)
}
