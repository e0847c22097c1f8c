import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const ROWS_AT_FIRST = 1024

/** Rows of bytes in a file. Each is read when it is first asked for: a gateway needs a fraction of them. */
export interface TokenRows extends Disposable {
  /** Where the row begins in `bytes`; undefined for one that there is not. */
  at(token: number): number | undefined
  /** Another one when rows have been read. */
  bytes(): Int8Array
}

/** Throws what the file system throws, then and later. The file stays open until it is disposed of. */
export function openTokenRows(file: string, rowBytes: number): TokenRows {
  const descriptor = openSync(file, 'r')
  /** Where each row begins, and one more; 0 for one that has not been read. */
  const places = new Int32Array(fstatSync(descriptor).size / rowBytes)
  let bytes = new Int8Array(ROWS_AT_FIRST * rowBytes)
  let end = 0
  const read = (token: number): number => {
    if (end === bytes.length) bytes = grown(bytes)
    readSync(descriptor, bytes, end, rowBytes, token * rowBytes)
    places[token] = end + 1
    end += rowBytes
    return end - rowBytes
  }
  return {
    at(token) {
      const place = places[token]
      return place === undefined ? undefined : place > 0 ? place - 1 : read(token)
    },
    bytes: () => bytes,
    [Symbol.dispose]: () => closeSync(descriptor),
  }
}

function grown(bytes: Int8Array): Int8Array<ArrayBuffer> {
  const larger = new Int8Array(bytes.length * 2)
  larger.set(bytes)
  return larger
}
