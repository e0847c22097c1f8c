import { setImmediate } from 'node:timers/promises'
import { createCatalog, type LiveCatalog } from './catalog.ts'
import { nameOwner } from './catalog-parts.ts'
import { createNameTable } from './exposed-names.ts'
import { createRecordOperations } from './record-operations.ts'
import type { HttpToolRecord, NamespaceRecord, ToolOverrideRecord, UpstreamRecord } from './records.ts'
import type {
  HttpToolDraft,
  NamespaceDraft,
  RecordOperations,
  Registry,
  RegistryDeps,
  UpstreamDraft,
  UpstreamListener,
} from './registry-api.ts'
import { sameSnapshot, type UpstreamSnapshot } from './snapshot.ts'
import { createToolOverride } from './tool-override.ts'

/** Loads what is stored and publishes the first revision from it, before anything is connected. */
export async function openRegistry(deps: RegistryDeps): Promise<Registry> {
  const { stores } = deps
  const memory = {
    overrides: new Map((await stores.overrides.list()).map((override) => [override.name, override])),
    snapshots: new Map((await stores.snapshots.list()).map((snapshot) => [snapshot.upstreamId, snapshot])),
    names: createNameTable(await stores.names.list()),
  }
  const listeners = new Set<UpstreamListener>()
  const publish = async (): Promise<void> => {
    // Of ten thousand tools it takes as long as a call: what led to it, and what follows, are turns of their own.
    await setImmediate()
    catalog.publish()
    await setImmediate()
    const fresh = memory.names.takeNew()
    if (fresh.length > 0) await stores.names.put(fresh)
  }
  const records = await openRecords(deps, {
    async upstream(before, after) {
      if (before && !after) await forgetUpstream(deps, memory, before.id)
      await publish()
      for (const listener of listeners) listener({ ...(before ? { before } : {}), ...(after ? { after } : {}) })
    },
    async httpTool(before, after) {
      if (before && !after) await forgetNames(deps, memory, nameOwner(before.id))
      await publish()
    },
    namespace: publish,
  })
  const catalog: LiveCatalog = createCatalog({
    ...memory,
    upstreams: records.upstreams.list,
    httpTools: records.httpTools.list,
    namespaces: records.namespaces.list,
    ...(deps.expose === undefined ? {} : { expose: deps.expose }),
  })
  await publish()
  return {
    ...records,
    catalog,
    overrideTool: createToolOverride({ ...deps, catalog, overrides: memory.overrides, publish }),
    async publishSnapshot(snapshot) {
      const before = memory.snapshots.get(snapshot.upstreamId)
      if (!records.upstreams.find(snapshot.upstreamId) || (before && sameSnapshot(before, snapshot))) return
      await stores.snapshots.put(snapshot)
      memory.snapshots.set(snapshot.upstreamId, snapshot)
      await publish()
    },
    onUpstreamChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

interface Memory {
  readonly overrides: Map<string, ToolOverrideRecord>
  readonly snapshots: Map<string, UpstreamSnapshot>
  readonly names: ReturnType<typeof createNameTable>
}

interface Records {
  readonly upstreams: RecordOperations<UpstreamRecord, UpstreamDraft>
  readonly httpTools: RecordOperations<HttpToolRecord, HttpToolDraft>
  readonly namespaces: RecordOperations<NamespaceRecord, NamespaceDraft>
}

type Changed<T> = (before: T | undefined, after: T | undefined) => Promise<void>

interface Changes {
  readonly upstream: Changed<UpstreamRecord>
  readonly httpTool: Changed<HttpToolRecord>
  readonly namespace: Changed<NamespaceRecord>
}

async function openRecords({ stores, now, newId }: RegistryDeps, changes: Changes): Promise<Records> {
  const common = { now, newId }
  return {
    upstreams: createRecordOperations<UpstreamRecord, UpstreamDraft>({
      ...common,
      store: stores.upstreams,
      records: await stores.upstreams.list(),
      noun: 'server',
      missingCode: 'not_found',
      changed: changes.upstream,
    }),
    httpTools: createRecordOperations<HttpToolRecord, HttpToolDraft>({
      ...common,
      store: stores.httpTools,
      records: await stores.httpTools.list(),
      noun: 'tool',
      missingCode: 'tool_not_found',
      changed: changes.httpTool,
    }),
    namespaces: createRecordOperations<NamespaceRecord, NamespaceDraft>({
      ...common,
      store: stores.namespaces,
      records: await stores.namespaces.list(),
      noun: 'namespace',
      missingCode: 'not_found',
      changed: changes.namespace,
    }),
  }
}

async function forgetNames({ stores }: RegistryDeps, memory: Memory, owner: string): Promise<void> {
  memory.names.forget(owner)
  await stores.names.deleteUpstream(owner)
}

async function forgetUpstream(deps: RegistryDeps, memory: Memory, upstreamId: string): Promise<void> {
  const { stores } = deps
  memory.snapshots.delete(upstreamId)
  await Promise.all([stores.snapshots.delete(upstreamId), forgetNames(deps, memory, upstreamId)])
  for (const override of memory.overrides.values().filter((each) => each.upstreamId === upstreamId)) {
    memory.overrides.delete(override.name)
    await stores.overrides.delete(override.id)
  }
}
