import { Agent, fetch } from 'undici'
import { createEgress, type EgressOptions } from './egress.ts'

const CONNECT_TIMEOUT_MS = 3000
const SCHEMES = ['https:']

/** Reads what strangers name: only over https, only from public addresses or those that an operator allows. */
export interface DocumentReader extends AsyncDisposable {
  /** A redirect is an answer like any other and is not followed. Rejects with AppError `policy_violation`, or as undici does. */
  read(url: string, signal: AbortSignal): Promise<Response>
}

/** Loopback is allowed by nothing but `egressAllow`: who names the document is not the operator's own program. */
export function createDocumentReader(options: Omit<EgressOptions, 'isLoopbackOnly'>): DocumentReader {
  const egress = createEgress({ ...options, isLoopbackOnly: false })
  const agent = new Agent({ connect: egress.connector(CONNECT_TIMEOUT_MS), connections: 4, pipelining: 1 })
  return {
    async read(url, signal) {
      await egress.check(url, SCHEMES)
      const headers = { accept: 'application/json', 'user-agent': 'MetaMCP' }
      return fetch(url, { dispatcher: agent, redirect: 'manual', signal, headers })
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  }
}
