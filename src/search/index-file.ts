import { createHash, hash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { KeptSlots } from './catalog-index.ts'
import type { WrittenIndex } from './search-index.ts'

/** The index as a file: a gateway with many tools answers its first search with what it knew when it stopped. */
export interface KeptIndex {
  readonly slots: KeptSlots
  readonly index: WrittenIndex
}

const LINE_END = 10

interface Head {
  readonly madeBy: string
  readonly checksum: string
  readonly capacity: number
  /** Bytes of each section. */
  readonly sections: readonly number[]
}

/** Throws what the file system throws; a file that was there stays whole. */
export async function writeIndex(file: string, { slots, index }: KeptIndex): Promise<void> {
  const { keywords, vectors, capacity } = index
  const sections = [
    Buffer.from([...slots.keys()].join('\n')),
    bytesOf(Int32Array.from(slots.values())),
    Buffer.from(keywords.postings.terms.join('\n')),
    ...[keywords.postings.counts, keywords.postings.values, keywords.lengths, vectors.scales, vectors.rows].map(
      bytesOf,
    ),
  ]
  const checksum = createHash('sha1')
  for (const section of sections) {
    checksum.update(section)
    // It takes a millisecond for each megabyte.
    await setImmediate()
  }
  const lengths = sections.map(({ length }) => length)
  const head: Head = { madeBy: maker(), checksum: checksum.digest('hex'), capacity, sections: lengths }
  const line = JSON.stringify(head)
  const draft = `${file}.${process.pid}`
  await writeFile(draft, [`${line}\n`, ...sections], { mode: 0o600 })
  await rename(draft, file)
}

/** Undefined without a file, for one that another program made, and for a damaged one: then the index is made anew. */
export async function readIndex(file: string): Promise<KeptIndex | undefined> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  const bodyAt = (bytes?.indexOf(LINE_END) ?? -1) + 1
  if (!bytes || bodyAt === 0) return undefined
  const head = headOf(bytes.toString('utf8', 0, bodyAt))
  const body = bytes.subarray(bodyAt)
  if (head?.madeBy !== maker() || head.checksum !== hash('sha1', body)) return undefined
  const [digests, slots, terms, counts, postings, lengths, scales, rows] = sectionsOf(body, head.sections)
  if (!digests || !slots || !terms || !counts || !postings || !lengths || !scales || !rows) return undefined
  const slotNumbers = new Int32Array(slots)
  return {
    slots: new Map(linesOf(digests).map((digest, at) => [digest, slotNumbers[at] as number])),
    index: {
      keywords: {
        postings: { terms: linesOf(terms), counts: new Int32Array(counts), values: new Int32Array(postings) },
        lengths: new Uint16Array(lengths),
      },
      vectors: { rows: new Uint8Array(rows), scales: new Float32Array(scales) },
      capacity: head.capacity,
    },
  }
}

function headOf(line: string): Head | undefined {
  try {
    return JSON.parse(line) as Head
  } catch {
    return undefined
  }
}

/** Each in memory of its own, so that none holds all of the file. */
function sectionsOf(body: Buffer, lengths: readonly number[]): ArrayBuffer[] {
  let at = 0
  return lengths.map((length) => {
    const section = Uint8Array.from(body.subarray(at, at + length)).buffer
    at += length
    return section
  })
}

function linesOf(section: ArrayBuffer): string[] {
  return section.byteLength === 0 ? [] : Buffer.from(section).toString('utf8').split('\n')
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

let made: string | undefined

/** What has made an index decides what is in it: the code of this room, and the tables that it reads. */
function maker(): string {
  made ??= fingerprint([import.meta.dirname, join(import.meta.dirname, '../../assets/static-embeddings')])
  return made
}

function fingerprint(folders: readonly string[]): string {
  const all = createHash('sha256')
  for (const folder of folders)
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isFile()) all.update(entry.name).update(readFileSync(join(folder, entry.name)))
  return all.digest('base64url')
}
