/** What a gateway that has just begun to listen says of itself. */
export interface BannerFacts {
  readonly url: string
  readonly mcp: string
  readonly servers: readonly { readonly name: string; readonly status: string; readonly tools: number }[]
  /** Whether everybody has to show a credential. */
  readonly needsKey: boolean
}

/** What was made at this start because there was no user at all. */
export interface FirstFacts {
  readonly administrator: { readonly username: string; readonly password?: string | undefined }
  readonly apiKey: string
}

type Output = Pick<NodeJS.WriteStream, 'isTTY' | 'write'>

/** Says on one screen where the gateway is and what it has; one JSON line where nobody looks. */
export function printBanner(output: Output, facts: BannerFacts, first?: FirstFacts): void {
  const docs = `${facts.url}/docs`
  const { needsKey: _needsKey, ...shown } = facts
  const made = first && { administrator: first.administrator, api_key: first.apiKey }
  const line = { level: 'info', time: new Date().toISOString(), msg: 'listening', ...shown, ...made, docs }
  output.write(output.isTTY ? screen(facts, docs, first) : `${JSON.stringify(line)}\n`)
}

/** Of a start that failed after it had made them: they are never shown again, and there is no second first start. */
export function printFirstFacts(output: Output, first: FirstFacts): void {
  const made = { administrator: first.administrator, api_key: first.apiKey }
  const line = { level: 'info', time: new Date().toISOString(), msg: 'made at the first start', ...made }
  output.write(output.isTTY ? `${firstLines(first).join('\n')}\n\n` : `${JSON.stringify(line)}\n`)
}

function screen({ mcp, servers, needsKey }: BannerFacts, docs: string, first: FirstFacts | undefined): string {
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
    ...(first ? firstLines(first) : []),
    '',
    '  For your MCP client:',
    `    ${entry(mcp, first?.apiKey ?? (needsKey ? 'KEY' : undefined))}`,
    ...(needsKey && !first ? ['    KEY is an API key: metamcp key create NAME'] : []),
    '',
    '',
  ]
  return lines.join('\n')
}

function firstLines({ administrator: { username, password }, apiKey }: FirstFacts): string[] {
  const who = password === undefined ? username : `${username}, password ${password}`
  return [
    '',
    '  Made at this first start, and never shown again:',
    `    Administrator  ${who}`,
    `    API key        ${apiKey}`,
  ]
}

function entry(url: string, key: string | undefined): string {
  const headers = key === undefined ? {} : { headers: { Authorization: `Bearer ${key}` } }
  return JSON.stringify({ mcpServers: { metamcp: { url, ...headers } } })
}
