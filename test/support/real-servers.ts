import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
const PUBLISHED = join(ROOT, 'node_modules/@modelcontextprotocol')

const node = (...args: string[]) => ({ command: process.execPath, args })

/** MCP servers as they come from npm, and an example of our own, over stdio. */
export const realServers = {
  everything: () => node(join(PUBLISHED, 'server-everything/dist/index.js'), 'stdio'),
  files: (directory: string) => node(join(PUBLISHED, 'server-filesystem/dist/index.js'), directory),
  memory: (file: string) => ({
    ...node(join(PUBLISHED, 'server-memory/dist/index.js')),
    env: { MEMORY_FILE_PATH: file },
  }),
  database: (file: string) => node(join(ROOT, 'examples/database-tools/server.ts'), file),
}
