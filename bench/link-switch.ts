// node --import bench/link-switch.ts: the links of the call path can be switched off one by one, and dispatch answers by itself.
import { registerHooks } from 'node:module'
import type { Dispatch, Observer } from '#gateway/call'
import type { GatewayDeps, Row } from '#gateway/call-path'

/** What the program in this process can do with its own call path. */
export interface LinkSwitch {
  /** Of the path, in its order. */
  readonly names: string[]
  /** The links that calls do not come to. */
  readonly off: Set<string>
  /** Stands in for the upstreams once it is set. */
  dispatch: Dispatch | undefined
  path(rows: readonly Row[]): readonly Row[]
  deps(deps: GatewayDeps): GatewayDeps
}

declare global {
  var linkSwitch: LinkSwitch
}

const off = new Set<string>()
const names: string[] = []
globalThis.linkSwitch = {
  names,
  off,
  dispatch: undefined,
  path(rows) {
    names.push(...rows.map(({ name }) => name))
    return rows.map(switched)
  },
  deps: (deps) => ({ ...deps, dispatch: (call) => (globalThis.linkSwitch.dispatch ?? deps.dispatch)(call) }),
}

function switched(row: Row): Row {
  if ('ended' in row) {
    const ended: Observer = (call, outcome) => (off.has(row.name) ? undefined : row.ended(call, outcome))
    return { ...row, ended }
  }
  const { run } = row
  if (!run) return row
  return { ...row, run: (call, next) => (off.has(row.name) ? next(call) : run(call, next)) }
}

const PATH = /export function callPath\((\w+): Links\)/
const GATEWAY = /export function createGateway\(/

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!url.endsWith('/src/gateway/call-path.ts')) return loaded
    const source = Buffer.from((loaded.source ?? '') as Uint8Array).toString()
    if (!PATH.test(source) || !GATEWAY.test(source))
      throw new Error('call-path.ts is not as bench/link-switch.ts knows it')
    const renamed = source.replace(PATH, 'function wholePath($1: Links)').replace(GATEWAY, 'function wholeGateway(')
    const added = [
      'export const callPath = (links: Links) => globalThis.linkSwitch.path(wholePath(links))',
      'export const createGateway = (deps: GatewayDeps) => wholeGateway(globalThis.linkSwitch.deps(deps))',
    ]
    return { ...loaded, source: [renamed, ...added].join('\n') }
  },
})
