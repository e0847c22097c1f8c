/** What comes after the last of a list. */
export const END = -1

const AT_FIRST = 1024

/** Lists one after the other. */
export interface WrittenChains {
  /** How long each list is. */
  readonly counts: Int32Array<ArrayBuffer>
  readonly values: Int32Array<ArrayBuffer>
}

/**
 * Lists of numbers, each under a small number, all chained in the same few arrays: as arrays of their own they take three
 * times the memory, and the collector looks at each.
 */
export interface Chains {
  append(list: number, value: number): void
  /** Of a list that is not empty. */
  last(list: number): number
  setLast(list: number, value: number): void
  /** A list begins at `values[first]` and goes on at `values[next[first]]` until `END`. A list that never was is empty. */
  first(list: number): number
  memory(): { readonly values: Int32Array; readonly next: Int32Array }
  /** Answers whether the list is empty now. */
  removeWhere(list: number, isUnwanted: (value: number) => boolean): boolean
  /** How many values there are at most. */
  size(): number
}

export function createChains(written?: WrittenChains): Chains {
  let { heads, tails, next } = written ? chained(written) : empty()
  let values = written?.values ?? new Int32Array(AT_FIRST)
  let made = written?.values.length ?? 0
  let free = END
  const node = (value: number): number => {
    const used = free
    if (used !== END) free = next[used] as number
    else if (made === values.length) [values, next] = [grown(values, made + 1), grown(next, made + 1)]
    const place = used === END ? (made += 1) - 1 : used
    values[place] = value
    next[place] = END
    return place
  }
  const first = (list: number): number => (heads[list] ?? 0) - 1
  return {
    first,
    append(list, value) {
      const place = node(value)
      if (list >= heads.length) [heads, tails] = [grown(heads, list + 1), grown(tails, list + 1)]
      if (first(list) === END) heads[list] = place + 1
      else next[tails[list] as number] = place
      tails[list] = place
    },
    last: (list) => values[tails[list] as number] as number,
    setLast(list, value) {
      values[tails[list] as number] = value
    },
    memory: () => ({ values, next }),
    removeWhere(list, isUnwanted) {
      let before = END
      for (let place = first(list); place !== END;) {
        const after = next[place] as number
        if (isUnwanted(values[place] as number)) {
          if (before === END) heads[list] = after + 1
          else next[before] = after
          next[place] = free
          free = place
        } else before = place
        place = after
      }
      tails[list] = before
      return before === END
    },
    size: () => made,
  }
}

/** Heads are one more than the place where a list begins: 0 is an empty list. */
function empty() {
  return { heads: new Int32Array(AT_FIRST), tails: new Int32Array(AT_FIRST), next: new Int32Array(AT_FIRST) }
}

function chained({ counts, values }: WrittenChains): ReturnType<typeof empty> {
  const heads = new Int32Array(counts.length)
  const tails = new Int32Array(counts.length)
  const next = new Int32Array(values.length)
  for (let place = 0; place < next.length; place += 1) next[place] = place + 1
  let from = 0
  for (let list = 0; list < counts.length; list += 1) {
    heads[list] = from + 1
    from += counts[list] as number
    tails[list] = from - 1
    next[from - 1] = END
  }
  return { heads, tails, next }
}

function grown(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length + (length >> 1))
  larger.set(array)
  return larger
}
