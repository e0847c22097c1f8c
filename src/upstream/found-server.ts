import { toAppError } from '#kernel/errors'
import type { Connection } from '#registry/records'

/** A place to look for servers. */
export type DiscoverySource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'registry'; readonly url: string; readonly search?: string | undefined }
  | {
      readonly kind: 'network'
      readonly hosts: readonly string[]
      readonly ports: readonly number[]
      readonly path: string
    }

/** A server that was found. One without a connection is an entry that could not be read. */
export interface FoundServer {
  readonly name: string
  readonly connection?: Connection
  readonly description?: string
  /** Why it may not be registered. */
  readonly refused?: string
}

/** A name for records out of what a stranger calls his server. */
export function plainName(text: string): string {
  const plain = text.normalize('NFKC').replaceAll(/[^A-Za-z0-9._-]+/g, '-')
  return plain.replaceAll(/^[-._]+|[-._]+$/g, '').slice(0, 100) || 'server'
}

/** Asks the rules about each that has a connection; a refusal is noted, not thrown. */
export async function withVerdicts(
  found: readonly FoundServer[],
  admit: (draft: { readonly connection: Connection }) => Promise<unknown>,
): Promise<FoundServer[]> {
  const judged: FoundServer[] = []
  for (const server of found) {
    const { connection } = server
    const refused =
      server.refused ??
      (connection &&
        (await admit({ connection }).then(
          () => undefined,
          (error: unknown) => toAppError(error).message,
        )))
    judged.push(refused === undefined ? server : { ...server, refused })
  }
  return judged
}
