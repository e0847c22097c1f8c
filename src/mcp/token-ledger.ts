import { digest } from '#kernel/seal'
import type { Catalog } from '#registry/registry-api'

const SESSIONS_SHOWN = 100
const SESSION_LABEL_CHARS = 12

/** Tokens of definitions that clients would have received had all been listed, and those that they did receive. */
export interface TokenCounts {
  wouldHaveReceived: number
  received: number
}

/** Who received definitions: an endpoint, and the legacy session where there is one. */
interface Receiver {
  readonly namespace: string | undefined
  readonly definitionTokens?: TokenCounts
}

interface CountedSession extends Required<Receiver> {
  readonly id: string
  readonly lastUsedAt: number
}

export interface TokenReport {
  readonly namespaces: readonly (TokenCounts & { readonly namespace: string | undefined })[]
  /** Those that were used last, under a label that opens nothing. */
  readonly sessions: readonly (TokenCounts & { readonly session: string; readonly namespace: string | undefined })[]
}

/** Counts since the start, by namespace and legacy session. */
export interface TokenLedger {
  count(to: Receiver, tokens: Readonly<TokenCounts>): void
  report(): TokenReport
}

export function noTokens(): TokenCounts {
  return { wouldHaveReceived: 0, received: 0 }
}

export function createTokenLedger(
  catalog: Pick<Catalog, 'view'>,
  sessions: () => Iterable<CountedSession>,
): TokenLedger {
  const namespaces = new Map<string | undefined, TokenCounts>()
  const add = (sum: TokenCounts, { wouldHaveReceived, received }: TokenCounts): void => {
    sum.wouldHaveReceived += wouldHaveReceived
    sum.received += received
  }
  /** A new namespace's turn to look for those that are gone: there are never more counts than namespaces. */
  const open = (namespace: string | undefined): TokenCounts => {
    for (const known of namespaces.keys()) if (!catalog.view(known)) namespaces.delete(known)
    const opened = noTokens()
    namespaces.set(namespace, opened)
    return opened
  }
  return {
    count({ namespace, definitionTokens }, tokens) {
      add(namespaces.get(namespace) ?? open(namespace), tokens)
      if (definitionTokens) add(definitionTokens, tokens)
    },
    report: () => ({
      namespaces: [...namespaces].map(([namespace, counts]) => ({ namespace, ...counts })),
      sessions: [...sessions()]
        .toSorted((a, b) => b.lastUsedAt - a.lastUsedAt)
        .slice(0, SESSIONS_SHOWN)
        .map(({ id, namespace, definitionTokens }) => ({
          session: digest(id).slice(0, SESSION_LABEL_CHARS),
          namespace,
          ...definitionTokens,
        })),
    }),
  }
}
