/** What a gateway that has just begun to listen says of itself. */
export interface BannerFacts {
  readonly url: string
  readonly mcp: string
  readonly servers: readonly { readonly name: string; readonly status: string; readonly tools: number }[]
  /** Made at this start; the password is never shown again. */
  readonly administrator?: { readonly username: string; readonly password?: string | undefined }
}

/** Says on one screen where the gateway is and what it has; one JSON line where nobody looks. */
export function printBanner(output: NodeJS.WriteStream, facts: BannerFacts): void {
  const docs = `${facts.url}/docs`
  const line = { level: 'info', time: new Date().toISOString(), msg: 'listening', ...facts, docs }
  output.write(output.isTTY ? screen(facts, docs) : `${JSON.stringify(line)}\n`)
}

function screen({ mcp, servers, administrator }: BannerFacts, docs: string): string {
  const rows = servers.map(({ name, status, tools }) => `    ${name.padEnd(24)} ${status.padEnd(12)} ${tools} tools`)
  const lines = [
    '',
    '  MetaMCP is listening',
    '',
    `  MCP endpoint   ${mcp}`,
    `  API docs       ${docs}`,
    '',
    rows.length === 0
      ? '  No servers yet: metamcp add NAME -- COMMAND'
      : '  Servers (they connect in the background: metamcp servers)',
    ...rows,
    ...(administrator?.password === undefined
      ? []
      : ['', `  Administrator  ${administrator.username}, password ${administrator.password} (shown once)`]),
    '',
    '  For your MCP client:',
    `    {"mcpServers": {"metamcp": {"url": "${mcp}"}}}`,
    '',
    '',
  ]
  return lines.join('\n')
}
