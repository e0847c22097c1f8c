import { join } from 'node:path'
import type { ApiClient } from './api-client.ts'
import { runCommand } from './run-cli.ts'

type Rows = Readonly<Record<string, readonly Readonly<Record<string, string>>[]>>

/** The answers of every `GET` that the gateway describes, for everything that there is. Rejects where it cannot fill a path. */
export async function readAll({ send }: ApiClient, headers: Record<string, string>): Promise<string[]> {
  const get = async <T>(path: string) => send<T>('GET', path, undefined, headers)
  const { body: described } = await get<{ readonly paths: Readonly<Record<string, object>> }>('/openapi.json')
  const paths = Object.entries(described.paths).flatMap(([path, methods]) => ('get' in methods ? [path] : []))
  const all = async (path: string, list: string, member: string) => {
    const { body } = await get<Rows>(`${path}?limit=100`)
    return (body[list] ?? []).map((each) => encodeURIComponent(each[member] ?? ''))
  }
  const members: Readonly<Record<string, readonly string[]>> = {
    tools: await all('tools', 'tools', 'name'),
    servers: await all('proxy/servers', 'servers', 'server_id'),
    executions: await all('executions', 'executions', 'execution_id'),
    namespaces: await all('namespaces', 'namespaces', 'name'),
    users: await all('users', 'users', 'user_id'),
    roles: await all('roles', 'roles', 'name'),
  }
  const answers: string[] = []
  for (const path of paths) {
    const collection = /(\w+)\/\{\w+\}/.exec(path)?.[1]
    const found = collection === undefined ? [''] : members[collection]
    if (!found || found.length === 0) throw new Error(`nothing to fill ${path} with`)
    for (const each of found) {
      const filled = path.replace(/\{\w+\}/, each)
      answers.push((await get(filled.endsWith('/search') ? `${filled}?q=light` : filled)).text)
    }
  }
  return answers
}

/** What commands print on the machine of the gateway, each for people and for programs. */
export async function printAll(dataDir: string, commands: readonly (readonly string[])[]): Promise<string> {
  const printed: string[] = []
  for (const command of commands)
    for (const more of [[], ['--json']]) {
      const { stdout, stderr } = await runCommand([...command, ...more], {
        cwd: join(dataDir, '..'),
        env: { META_MCP_DATA_DIR: dataDir },
      })
      printed.push(stdout, stderr)
    }
  return printed.join('\n')
}
