import { posix, win32 } from 'node:path'
import type { JsonObject } from '#kernel/json'
import type { CliIo } from './io.ts'

/** An MCP client: where it keeps its servers, and how an entry for this gateway looks there. */
export interface McpClient {
  readonly title: string
  /** Its configuration files, the project's before the user's. */
  readonly files: readonly string[]
  readonly section: 'mcpServers' | 'servers'
  /** Undefined where its file takes commands only. */
  readonly http?: (url: string) => JsonObject
  /** The same in a sentence, where the client has a command for it. */
  readonly hint?: (url: string) => string
}

const plainHttp = (url: string): JsonObject => ({ type: 'http', url })

/** The clients by the name that `import` and `config` take. */
export function mcpClients(io: Pick<CliIo, 'home' | 'cwd' | 'platform' | 'env'>): Readonly<Record<string, McpClient>> {
  const { join } = io.platform === 'win32' ? win32 : posix
  const app = (...names: string[]) => join(applicationDir(io), ...names)
  const home = (...names: string[]) => join(io.home, ...names)
  const project = (...names: string[]) => join(io.cwd, ...names)
  return {
    claude: {
      title: 'Claude Desktop',
      files: [app('Claude', 'claude_desktop_config.json')],
      section: 'mcpServers',
    },
    'claude-code': {
      title: 'Claude Code',
      files: [project('.mcp.json'), home('.claude.json')],
      section: 'mcpServers',
      http: plainHttp,
      hint: (url) => `claude mcp add --transport http metamcp ${url}`,
    },
    cursor: {
      title: 'Cursor',
      files: [project('.cursor', 'mcp.json'), home('.cursor', 'mcp.json')],
      section: 'mcpServers',
      http: (url) => ({ url }),
    },
    vscode: {
      title: 'VS Code',
      files: [project('.vscode', 'mcp.json'), app('Code', 'User', 'mcp.json'), app('Code', 'User', 'settings.json')],
      section: 'servers',
      http: plainHttp,
    },
    windsurf: {
      title: 'Windsurf',
      files: [home('.codeium', 'windsurf', 'mcp_config.json')],
      section: 'mcpServers',
      http: (url) => ({ serverUrl: url }),
    },
    gemini: {
      title: 'Gemini CLI',
      files: [project('.gemini', 'settings.json'), home('.gemini', 'settings.json')],
      section: 'mcpServers',
      http: (url) => ({ httpUrl: url }),
    },
    cline: {
      title: 'Cline',
      files: [app('Code', 'User', 'globalStorage', 'saoudrizwan.claude-dev', 'settings', 'cline_mcp_settings.json')],
      section: 'mcpServers',
      http: (url) => ({ type: 'streamableHttp', url }),
    },
    lmstudio: {
      title: 'LM Studio',
      files: [home('.lmstudio', 'mcp.json')],
      section: 'mcpServers',
      http: (url) => ({ url }),
    },
  }
}

/** Where applications keep a user's settings. */
function applicationDir({ home, platform, env }: Pick<CliIo, 'home' | 'platform' | 'env'>): string {
  if (platform === 'darwin') return posix.join(home, 'Library', 'Application Support')
  if (platform === 'win32') return env['APPDATA'] || win32.join(home, 'AppData', 'Roaming')
  return env['XDG_CONFIG_HOME'] || posix.join(home, '.config')
}
