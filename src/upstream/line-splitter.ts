const NEWLINE = 0x0a

/** Cuts a byte stream into UTF-8 lines. Bytes are joined before they are decoded, so a character split in two survives. */
export interface LineSplitter {
  /** The complete lines so far, without their ends. Throws RangeError when a line grows beyond the limit. */
  push(chunk: Buffer): string[]
}

export function createLineSplitter(lineBytesMax: number): LineSplitter {
  let parts: Buffer[] = []
  let held = 0
  return {
    push(chunk) {
      const lines: string[] = []
      let start = 0
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        const tail = chunk.subarray(start, end)
        lines.push((held > 0 ? Buffer.concat([...parts, tail]) : tail).toString('utf8').replace(/\r$/, ''))
        parts = []
        held = 0
        start = end + 1
      }
      if (start < chunk.length) {
        parts.push(chunk.subarray(start))
        held += chunk.length - start
      }
      if (held > lineBytesMax) throw new RangeError('line too long')
      return lines
    },
  }
}
