import type { TokensBody } from '#contract/tokens'
import type { TokenReport } from '#mcp/token-ledger'

type Counts = Omit<TokenReport['namespaces'][number], 'namespace'>

/** What clients received and would have received, as answers show it. */
export function tokensAnswer({ namespaces, sessions }: TokenReport): TokensBody {
  return {
    namespaces: namespaces.map(({ namespace = null, ...counts }) => ({
      namespace,
      ...countsBody(counts),
      saved_share: savedShare(counts),
    })),
    sessions: sessions.map(({ session, namespace = null, ...counts }) => ({
      session,
      namespace,
      ...countsBody(counts),
    })),
  }
}

function countsBody({ wouldHaveReceived, received }: Counts) {
  return { would_have_received: wouldHaveReceived, received }
}

function savedShare({ wouldHaveReceived, received }: Counts): number {
  return wouldHaveReceived === 0 ? 0 : 1 - received / wouldHaveReceived
}
