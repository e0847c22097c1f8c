import type { App, Listening } from './app.ts'

/** Says on one screen where the gateway is and what it has; one JSON line where nobody looks. */
export function printBanner(output: NodeJS.WriteStream, listening: Listening, { registry, upstreams }: App): void {
  const docs = `${listening.url}/docs`
  const tools = registry.catalog.allTools()
  const servers = registry.upstreams.list().map(({ id, name }) => ({
    name,
    status: upstreams.status(id).state,
    tools: tools.filter(({ upstreamId }) => upstreamId === id).length,
  }))
  if (!output.isTTY) {
    output.write(
      `${JSON.stringify({ level: 'info', time: new Date().toISOString(), msg: 'listening', mcp: listening.mcp, url: listening.url, docs, servers })}\n`,
    )
    return
  }
  const lines = servers.map(
    ({ name, status, tools: count }) => `    ${name.padEnd(24)} ${status.padEnd(12)} ${count} tools`,
  )
  output.write(
    [
      '',
      '  MetaMCP is listening',
      '',
      `  MCP endpoint   ${listening.mcp}`,
      `  API docs       ${docs}`,
      '',
      lines.length === 0
        ? '  No servers yet: metamcp add NAME -- COMMAND'
        : '  Servers (they connect in the background)',
      ...lines,
      '',
      '  Client entry   {"mcpServers": {"metamcp": {"url": "' + listening.mcp + '"}}}',
      '',
      '',
    ].join('\n'),
  )
}
