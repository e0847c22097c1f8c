import { join } from 'node:path'
import { startTestApp } from '../test-app.ts'
import { directly, online, prepare, sum, through, type Comparison, type Subject } from './cells.ts'
import { bridgePipe, httpPipe, ssePipe, type Pipe } from './pipes.ts'
import { rawMember, withMembers } from './raw-json.ts'
import type { Era } from './raw-peer.ts'

interface Door {
  readonly client: Era
  open(): Pipe | Promise<Pipe>
}

/**
 * The script once direct, then through a gateway that shows the meta-tools alone: each `tools/call` as the `call_tool` that
 * means the same, through every door, or the first ones. What is listed is others' to compare.
 */
export async function compareMetaCalls(subject: Subject, root: string, doorsMax = Infinity): Promise<Comparison> {
  await using cleanup = new AsyncDisposableStack()
  const calls: Subject = {
    ...subject,
    script: (context) => subject.script(context).filter(({ method }) => method !== 'tools/list'),
  }
  const directory = join(root, `${subject.name}-meta`)
  await prepare(directory)
  const only = { ...(await subject.start(directory, cleanup)), prefix: 'pre' }
  const app = cleanup.use(await startTestApp({ file: { servers: { only } }, env: { META_MCP_EXPOSE: 'search' } }))
  const baseline = await directly(calls, join(root, `${subject.name}-direct`))
  await online(app.listening.url)
  const { url, mcp } = app.listening
  const doors: readonly Door[] = [
    { client: 'modern', open: () => httpPipe(mcp, { listen: false }) },
    { client: 'legacy', open: () => httpPipe(mcp, { listen: true }) },
    { client: 'legacy', open: () => ssePipe(`${url}/sse`) },
    { client: 'legacy', open: () => bridgePipe(mcp) },
    { client: 'modern', open: () => bridgePipe(mcp) },
  ]
  const comparisons: Comparison[] = []
  for (const { client, open } of doors.slice(0, doorsMax))
    comparisons.push(
      await through(calls, baseline, { pipe: byCallTool(await open()), client, directory, prefix: 'pre' }),
    )
  return sum(comparisons)
}

/** A client that only knows `call_tool`. */
function byCallTool(pipe: Pipe): Pipe {
  return {
    ...pipe,
    set onMessage(take: Pipe['onMessage']) {
      pipe.onMessage = take
    },
    get onMessage() {
      return pipe.onMessage
    },
    send(text, headers) {
      if (rawMember(text, 'method') !== '"tools/call"') return pipe.send(text, headers)
      const wrapped = withMembers(text, ({ key, value }) => (key === 'params' ? metaParams(value) : value))
      pipe.send(wrapped, headers?.['mcp-name'] === undefined ? headers : { ...headersLeft(headers), ...NAMED })
    },
  }
}

const NAMED = { 'mcp-name': 'call_tool' }

/** What mirrors the arguments of the tool itself is not for `call_tool`. */
function headersLeft(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.toLowerCase().startsWith('mcp-param-')))
}

/** Each member where it was, so that the server is sent the same text. */
function metaParams(params: string): string {
  const own = withMembers(params, ({ key, value }) => (key === 'name' || key === 'arguments' ? value : undefined))
  const outer = withMembers(params, ({ key, value }) => {
    if (key === 'name') return '"call_tool"'
    return key === 'arguments' ? own : value
  })
  return rawMember(params, 'arguments') === undefined ? outer.replace(/\}$/, () => `,"arguments":${own}}`) : outer
}
