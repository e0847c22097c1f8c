// Writes the pages that are made from tables in the source. Tests compare the files with the tables.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { accessTable } from '#http/access-table'
import { methodTable } from '#mcp/method-access'
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

Callers without a credential have the role of \`META_MCP_ANONYMOUS_ROLE\` (\`none\`, the default, lets nobody in without one). \`public\` asks nobody, \`self\` only who it is.

A permission is \`resource:action\` or \`resource:action:pattern\`; \`*\` is any run of characters, and what is denied wins over what is allowed. MCP clients see and call the tools that they may \`tools:execute\`, the prompts that they may \`prompts:use\` and the resources that they may \`resources:use\`; everything else is as if it were not there, in lists, calls, searches and the meta-tools. REST shows the tools that the caller may \`tools:read\`, the servers that it may \`servers:read\` and the namespaces that it may \`namespaces:read\`.

The pattern is one of names: of a tool its exposed name at \`/mcp\` (also where a namespace calls it otherwise), of a resource its URI, of a server or namespace its name. What a caller may not read is as if it were not there; what it may read and not change answers 403.

A permission can have a condition: \`{"permission": "tools:execute", "when": {"max_security_level": 3, "tags": ["office*"]}}\`. All members must be met:

| member                                     | asks                                                                                                                |
| ------------------------------------------ | ------------------------------------------------------------------------------------------------------------------- |
| \`servers\`, \`categories\`, \`tags\`      | patterns, one of which must match; plain HTTP tools are of the server \`http\`                                      |
| \`namespaces\`                             | patterns of the endpoint \`/mcp/{namespace}\`; \`/mcp\` and REST are of none                                        |
| \`max_security_level\`, \`min_security_level\` | bounds of the tool's level                                                                                          |
| \`read_only\`, \`destructive\`             | what the tool's annotations say; a tool that says nothing is not read-only and can destroy                          |

Tools, prompts, resources, servers, namespaces and routes have names; a permission about anything else has neither pattern nor condition.

What a thing does not have meets no condition: a prompt has no level, so \`max_security_level\` allows no prompt.

A role can also deny routes: \`routes:use:DELETE *\` or \`routes:use:* /api/v1/users*\`, by the names in the table below.

Who makes or changes users or roles must have all permissions that come of it, and those that the user or role has: \`users:*\` alone makes nobody an administrator.

${accessTable(ENDPOINTS)}

## MCP

Every caller with a good credential may send every method; what it lists, uses and tells of is decided for each thing.

${methodTable()}
`
}
