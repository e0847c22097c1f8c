// Writes the pages that are made from tables in the source. Tests compare the files with the tables.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { accessTable } from '#http/access-table'
import { ENDPOINTS } from '#http/routes'
import { environmentExample, settingsPage } from '../src/config/settings-docs.ts'

const pages: Record<string, string> = {
  'docs/reference/settings.md': settingsPage(),
  'docs/reference/permissions.md': permissionsPage(),
  '.env.example': environmentExample(),
}

for (const [path, text] of Object.entries(pages)) {
  const file = new URL(`../${path}`, import.meta.url)
  mkdirSync(dirname(file.pathname), { recursive: true })
  writeFileSync(file, text)
  process.stdout.write(`${path}\n`)
}

function permissionsPage(): string {
  return `# Permissions

What the built-in roles may do over REST. Made from the declarations of the routes; a test asks every route as every role. A caller who may not gets 403 \`permission_denied\` before anything about the request is looked at.

Callers without a credential have the role of \`META_MCP_ANONYMOUS_ROLE\` (\`admin\`, because the gateway listens on loopback only; \`none\` lets nobody in without one). \`public\` asks nobody, \`self\` only who it is.

A permission is \`resource:action\` or \`resource:action:pattern\`; \`*\` is any run of characters, and what is denied wins over what is allowed. MCP clients see and call the tools that they may \`tools:execute\`, the prompts that they may \`prompts:use\` and the resources that they may \`resources:use\`; everything else is as if it were not there, in lists, calls, searches and the meta-tools. REST shows the tools that the caller may \`tools:read\`.

${accessTable(ENDPOINTS)}
`
}
