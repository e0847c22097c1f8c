interface Node {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string }
}

/** As V8 writes it. */
export interface Profile {
  readonly nodes: readonly Node[]
  readonly samples: readonly number[]
}

/** Shares of the samples of one profile; waiting does not count. */
export interface Shares {
  /** By where the code stands that ran. */
  readonly byPlace: ReadonlyMap<string, number>
  readonly byFunction: ReadonlyMap<string, number>
}

export function sharesOf({ nodes, samples }: Profile): Shares {
  const known = new Map(nodes.map((node) => [node.id, node]))
  const busy = samples.flatMap((id) => {
    const node = known.get(id)
    const place = node && placeOf(node)
    return place === undefined ? [] : [{ place, name: `${node?.callFrame.functionName || '(anonymous)'} – ${place}` }]
  })
  const shares = (pick: (sample: (typeof busy)[number]) => string): Map<string, number> =>
    new Map([...Map.groupBy(busy, pick)].map(([key, all]) => [key, all.length / busy.length]))
  return { byPlace: shares(({ place }) => place), byFunction: shares(({ name }) => name) }
}

function placeOf({ callFrame: { functionName, url } }: Node): string | undefined {
  if (functionName === '(idle)' || functionName === '(root)') return undefined
  if (functionName === '(program)') return 'native code (kernel, sockets, HTTP parser)'
  if (functionName === '(garbage collector)') return 'garbage collector'
  const room = /\/dist\/([a-z]+)\//.exec(url)?.[1]
  if (room !== undefined) return `src/${room}`
  const dependency = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
  if (dependency !== undefined) return dependency
  if (url.startsWith('node:')) return nodePart(url)
  return url === '' ? 'built-in functions and native calls' : 'src'
}

function nodePart(url: string): string {
  if (/_http|http/.test(url)) return 'node:http'
  if (/net|stream/.test(url)) return 'node:net, streams'
  return 'other parts of Node'
}
