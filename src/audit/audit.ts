import { createBatchWriter } from '#kernel/batch-writer'
import { AppError, messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import { chainOf, EMPTY, type Head } from './chain.ts'
import type { HeadSeal } from './head.ts'
import type { AuditEntry, AuditStore, Growth, LockedChain } from './record.ts'

/** Longer than this nobody waits for a record; it stays in the queue. */
const RECORD_MS_MAX = 5000

/** Where everything leaves a record. */
export interface Audit extends AsyncDisposable {
  /** Written within a second. A promise only when the queue is full: then the caller waits, and nothing is dropped. */
  note(entry: AuditEntry): Promise<void> | undefined
  /** Resolves when the record is durable; rejects with `unavailable` when that takes too long. */
  record(entry: AuditEntry): Promise<void>
  /** Throws `unavailable` while records cannot be written: then nothing may begin that would need one. */
  admit(): void
  /** Resolves when what was noted so far is written. */
  flush(): Promise<void>
}

export interface AuditDeps {
  readonly store: AuditStore
  readonly seal: HeadSeal
  readonly log: Logger
  /** Epoch milliseconds. */
  now(): number
  newId(): string
}

interface Waiting {
  readonly entry: AuditEntry
  written?(): void
}

export function createAudit(deps: AuditDeps): Audit {
  const { store, log } = deps
  const heads = new Map<string, Head>()
  let isFailing = false
  const appendTo = async (tenant: string, entries: readonly AuditEntry[]): Promise<void> => {
    let head = EMPTY
    await store.append(tenant, async (chain) => {
      const known = heads.get(tenant)
      const mine = isFailing && known ? await notIn(chain, known, entries) : entries
      const growth = await grow(deps, { chain, tenant, known }, mine)
      head = growth.head
      return growth
    })
    heads.set(tenant, head)
  }
  const writer = createBatchWriter<Waiting>({
    async append(rows) {
      for (const [tenant, own] of Map.groupBy(rows, ({ entry }) => entry.tenant))
        await appendTo(
          tenant,
          own.map(({ entry }) => entry),
        )
      isFailing = false
      for (const { written } of rows) written?.()
    },
    failed(error, waiting) {
      isFailing = true
      log.error({ error: messageOf(error), cause: causeOf(error), waiting }, 'audit could not be written')
    },
  })
  const record = async (entry: AuditEntry): Promise<void> => {
    const written = Promise.withResolvers<void>()
    const busy = writer.add({ entry, written: written.resolve })
    void (busy ?? writer.flush())
    await inTime(written.promise)
  }
  return {
    note: (entry) => writer.add({ entry }),
    record,
    admit() {
      if (isFailing) throw new AppError('unavailable', 'The audit cannot be written now')
    },
    flush: writer.flush,
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  }
}

function causeOf(error: unknown): string | undefined {
  return error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : undefined
}

async function inTime(written: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    late.reject(new AppError('unavailable', 'It was done, and its audit record is still to be written'))
  }, RECORD_MS_MAX)
  await Promise.race([written, late.promise]).finally(() => clearTimeout(timer))
}

/** After a failure some of them may be there although nobody said so. */
async function notIn(chain: LockedChain, known: Head, entries: readonly AuditEntry[]): Promise<readonly AuditEntry[]> {
  const there = new Set((await chain.bodiesAfter(known.seq)).map((body) => (JSON.parse(body) as AuditEntry).id))
  return entries.filter(({ id }) => !there.has(id))
}

interface Place {
  readonly chain: LockedChain
  readonly tenant: string
  /** The head that this process wrote last. */
  readonly known: Head | undefined
}

async function grow(deps: AuditDeps, place: Place, entries: readonly AuditEntry[]): Promise<Growth & { head: Head }> {
  const { chain, tenant, known } = place
  const opened = chain.sealed === undefined ? undefined : deps.seal.open(tenant, chain.sealed)
  const isWhole = opened
    ? opened.seq >= (known?.seq ?? 0)
    : chain.sealed === undefined && !known && !(await chain.last())
  // A head that does not fit is never sealed anew without a trace: the record of it is what `verify` finds.
  const start = isWhole ? (opened ?? EMPTY) : (known ?? (await chain.last()) ?? EMPTY)
  const links = chainOf(start, isWhole ? entries : [brokenHead(deps, tenant), ...entries])
  const head = links.at(-1) ?? start
  return { links, head, sealed: deps.seal.seal(tenant, head) }
}

/** The action of a record which says that the sealed head was not the one that had been written. */
export const BROKEN_HEAD = 'audit:head-broken'

function brokenHead({ newId, now, log }: AuditDeps, tenant: string): AuditEntry {
  log.error({ tenant }, 'the head of the audit chain was changed, removed, or sealed with another secret')
  const what = { action: BROKEN_HEAD, resource: 'audit', outcome: 'error' as const, surface: 'gateway' as const }
  return { id: newId(), at: now(), tenant, actor: '', ...what }
}
