import { REST_MS, remembering, type Remembering } from './remembering.ts'

const TEXT_BYTES_MAX = 16_384
const CHUNK_BYTES_MAX = 64
const KEPT_MAX = 32_768
const LETTERS_MAX = KEPT_MAX * 16
const PLACES = KEPT_MAX * 2
/** Words that were made to meet at one place are not remembered, so that they cost no more than others. */
const LOOKS_MAX = 32

/** What an ASCII character is: it parts chunks, belongs to one, or stands alone. */
export const GAP = 0
export const PART = 1
export const ALONE = 2

interface ChunkReaderOptions<T> {
  kindOf(character: string): typeof GAP | typeof PART | typeof ALONE
  /** The chunks of a text that is long or not all ASCII. */
  split(text: string): readonly string[]
  make(chunk: string): T
}

/** Takes texts apart and makes something of each chunk: once for all texts that are read within seconds. */
export interface ChunkReader<T> {
  /** What was made of each chunk, in order. */
  read(text: string): readonly T[]
  forget(): void
}

/** Texts are looked at byte by byte: to look up a string for each chunk of ten thousand tools takes three times as long. */
export function createChunkReader<T extends object>({ kindOf, split, make }: ChunkReaderOptions<T>): ChunkReader<T> {
  const kinds = Uint8Array.from({ length: 128 }, (_, code) => kindOf(String.fromCharCode(code)))
  const encoder = new TextEncoder()
  const bytes = Buffer.alloc(TEXT_BYTES_MAX)
  const chunks = createKnownChunks(bytes, make)
  const others = remembering(make)
  return {
    read(text) {
      const { read, written } = encoder.encodeInto(text, bytes)
      if (read < text.length || written > read) return split(text).map(others.get)
      const found: T[] = []
      let from = 0
      for (let at = 0; at < written; at += 1) {
        const kind = kinds[bytes[at] as number]
        if (kind === PART) continue
        if (at > from) found.push(chunks.get(from, at))
        if (kind === ALONE) found.push(chunks.get(at, at + 1))
        from = at + 1
      }
      if (written > from) found.push(chunks.get(from, written))
      return found
    },
    forget() {
      chunks.forget()
      others.forget()
    },
  }
}

/** Of the bytes that are being read. */
interface KnownChunks<T> extends Pick<Remembering<T>, 'forget'> {
  get(from: number, to: number): T
}

/** An open table of hashes; what it knows stands one after the other in `letters`. */
function createKnownChunks<T>(bytes: Buffer, make: (chunk: string) => T): KnownChunks<T> {
  const places = new Int32Array(PLACES)
  const ends = new Int32Array(KEPT_MAX + 1)
  const letters = new Uint8Array(LETTERS_MAX)
  let values: T[] = []
  const forget = (): void => {
    values = []
    places.fill(0)
  }
  const isAt = (id: number, from: number, to: number): boolean => {
    let letter = ends[id] as number
    if ((ends[id + 1] as number) - letter !== to - from) return false
    for (let at = from; at < to; at += 1, letter += 1) if (bytes[at] !== letters[letter]) return false
    return true
  }
  const add = (place: number, from: number, to: number): T => {
    if (values.length === 0) setTimeout(forget, REST_MS).unref()
    const end = ends[values.length] as number
    letters.set(bytes.subarray(from, to), end)
    const value = make(bytes.toString('latin1', from, to))
    ends[values.push(value)] = end + to - from
    places[place] = values.length
    return value
  }
  return {
    get(from, to) {
      if (to - from > CHUNK_BYTES_MAX) return make(bytes.toString('latin1', from, to))
      const isFull = values.length === KEPT_MAX || (ends[values.length] as number) > LETTERS_MAX - CHUNK_BYTES_MAX
      if (isFull) forget()
      let place = hashOf(bytes, from, to) % PLACES
      for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
        const known = places[place] as number
        if (known === 0) return add(place, from, to)
        if (isAt(known - 1, from, to)) return values[known - 1] as T
        place = (place + 1) % PLACES
      }
      return make(bytes.toString('latin1', from, to))
    },
    forget,
  }
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5
  for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}
