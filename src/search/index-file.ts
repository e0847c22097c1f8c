import { createHash, type Hash } from 'node:crypto'
import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { open, rename, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { WrittenIndex } from './search-index.ts'
import type { KeptSlots } from './slots.ts'

/** The index as a file: a gateway with many tools answers its first search with what it knew when it stopped. */
export interface KeptIndex {
  readonly slots: KeptSlots
  readonly index: WrittenIndex
}

const LINE_END = 10
/** The first line, with much to spare. */
const HEAD_BYTES_MAX = 4096
const PIECE_BYTES = 65_536

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
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!handle) return undefined
  await using opened = handle
  const start = await opened.read({ buffer: Buffer.alloc(HEAD_BYTES_MAX), position: 0 })
  const bodyAt = start.buffer.indexOf(LINE_END) + 1
  const head = bodyAt > 0 ? headOf(start.buffer.toString('utf8', 0, bodyAt)) : undefined
  if (head?.madeBy !== maker() || (await opened.stat()).size !== bodyAt + sum(head.sections)) return undefined
  const [digests, slots, terms, counts, postings, lengths, scales, rows] = await sectionsOf(opened, head, bodyAt)
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

function sum(numbers: readonly number[]): number {
  return numbers.reduce((before, each) => before + each, 0)
}

function headOf(line: string): Head | undefined {
  try {
    return JSON.parse(line) as Head
  } catch {
    return undefined
  }
}

/** Each in memory of its own, so that none holds all of the file; none at all where the checksum is another. */
async function sectionsOf(file: FileHandle, { sections, checksum }: Head, bodyAt: number): Promise<ArrayBuffer[]> {
  const checked = createHash('sha1')
  const read: ArrayBuffer[] = []
  let position = bodyAt
  for (const length of sections) {
    const section = new Uint8Array(length)
    const { bytesRead } = await file.read({ buffer: section, position })
    if (bytesRead < length) return []
    checked.update(section)
    read.push(section.buffer)
    position += length
  }
  return checked.digest('hex') === checksum ? read : []
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
      if (entry.isFile()) addFile(all.update(entry.name), join(folder, entry.name))
  return all.digest('base64url')
}

/** In pieces: the collector would let a table of eight megabytes lie. */
function addFile(all: Hash, file: string): void {
  const piece = Buffer.allocUnsafe(PIECE_BYTES)
  const descriptor = openSync(file, 'r')
  try {
    for (let read = readSync(descriptor, piece); read > 0; read = readSync(descriptor, piece)) {
      all.update(piece.subarray(0, read))
    }
  } finally {
    closeSync(descriptor)
  }
}
