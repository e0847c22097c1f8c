import { messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import { digest } from '#kernel/seal'
import type { Origin } from './records.ts'
import type { HttpToolDraft, NamespaceDraft, RecordOperations, Registry, UpstreamDraft } from './registry-api.ts'

/** What the operator's file says exists. */
export interface FileContents {
  readonly servers: readonly UpstreamDraft[]
  readonly tools: readonly HttpToolDraft[]
  readonly namespaces: readonly NamespaceDraft[]
}

/**
 * Brings the registry in step with the operator's file. An entry that has not changed since it was last applied leaves
 * edits over the API alone; what the file no longer names is removed. One bad entry does not stop the others.
 */
export async function applyFile(registry: Registry, file: FileContents, log: Logger): Promise<void> {
  await applyKind(registry.upstreams, file.servers, log)
  await applyKind(registry.httpTools, file.tools, log)
  await applyKind(registry.namespaces, file.namespaces, log)
}

interface Filed {
  readonly name: string
  readonly origin: Origin
  readonly fileDigest?: string
}

async function applyKind<T extends Filed, D extends { readonly name: string }>(
  operations: RecordOperations<T, D>,
  drafts: readonly D[],
  log: Logger,
): Promise<void> {
  const named = new Set(drafts.map(({ name }) => name))
  for (const record of operations.list()) {
    if (record.origin === 'file' && !named.has(record.name)) await operations.remove(record.name, { force: true })
  }
  for (const draft of drafts) {
    try {
      await applyOne(operations, draft)
    } catch (error) {
      log.error({ name: draft.name, error: messageOf(error) }, 'file entry could not be applied')
    }
  }
}

async function applyOne<T extends Filed, D extends { readonly name: string }>(
  operations: RecordOperations<T, D>,
  draft: D,
): Promise<void> {
  const fileDigest = digest(JSON.stringify(draft))
  const known = operations.find(draft.name)
  if (!known) await operations.register(draft, 'file', fileDigest)
  else if (known.fileDigest !== fileDigest) await operations.update(draft.name, draft, fileDigest)
}
