import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cpuRatio, loadTable, show, withinRounds } from '../report.ts'
import type { Scenario } from '../scenario.ts'
import { CALL_TOOLS, firstCorrectCall, scratch, serversOf, started, startGateway, startUpstream } from '../targets.ts'
import { measure, roundsOf, warmUp, wrongIn } from '../windows.ts'

const CONNECTIONS = 16
const ON = '1 % traced'
const OFF = 'no traces'

/** What traces of one call in a hundred cost all calls. */
export const traces: Scenario = {
  name: 'traces',
  seconds: 45,
  async run(pace) {
    using folder = scratch()
    await using stack = new AsyncDisposableStack()
    const receiver = stack.use(await startReceiver())
    const upstream = started(stack, await startUpstream(CALL_TOOLS))
    const traced = { META_MCP_OTLP_ENDPOINT: receiver.url, META_MCP_TRACE_SAMPLE_RATIO: '0.01' }
    const start = async (name: string, env: Record<string, string>) => {
      const place = { name: name.replaceAll(/\W/g, ''), core: 'measured' as const, env }
      const gateway = started(stack, await startGateway(folder.path, serversOf(upstream), place))
      await firstCorrectCall(gateway, CALL_TOOLS)
      return { ...gateway, name }
    }
    const targets = [await start(OFF, {}), await start(ON, traced)]
    const options = { ...roundsOf(traces, pace), mode: 'call' as const, least: 3000, connections: [CONNECTIONS] }
    await warmUp(targets, options, pace.isQuick ? 5000 : 30_000)
    const windows = await measure(targets, options)
    const added = withinRounds(windows, [ON, OFF], CONNECTIONS, (a, b) => a.cpuUs - b.cpuUs)
    const ratio = withinRounds(windows, [ON, OFF], CONNECTIONS, cpuRatio)
    return {
      report: [
        `Two gateways, one with OTLP (${receiver.posts()} batches came):`,
        loadTable(windows, OFF),
        `Traces of 1 % add ${show(added, 1)} µs CPU to a call, ${show((ratio - 1) * 100, 0)} %.`,
      ],
      bars: [],
      wrong: [...wrongIn(windows), ...(receiver.posts() > 0 ? [] : ['no spans came'])],
    }
  },
}

interface Receiver extends Disposable {
  readonly url: string
  posts(): number
}

/** A collector that takes everything and reads nothing. */
async function startReceiver(): Promise<Receiver> {
  let posts = 0
  const server = createServer((request, response) => {
    posts += 1
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    posts: () => posts,
    [Symbol.dispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
