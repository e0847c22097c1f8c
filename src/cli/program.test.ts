import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '#config/problems'
import { runCli, type GatewayCommands } from './program.ts'

const NO_COMMANDS: GatewayCommands = {
  serve: () => Promise.resolve(0),
  stdio: () => Promise.resolve(0),
  audit: () => Promise.reject(new Error('there is no audit')),
}

const refused = () => Promise.reject(new ConfigError([{ source: 'flag --port', text: 'must be a number' }]))

async function run(line: readonly string[], commands = NO_COMMANDS) {
  let stdout = ''
  let stderr = ''
  const io = {
    stdin: Readable.from(['']),
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    env: {},
    home: '/home/me',
    cwd: '/work',
    platform: 'linux' as const,
  }
  const code = await runCli(['/usr/bin/node', '/opt/bin/metamcp.js', ...line], io, commands)
  return { code, stdout, stderr }
}

describe('R010 every command', () => {
  const COMMANDS = [
    'serve',
    'stdio',
    'add',
    'remove',
    'servers',
    'import',
    'tools',
    'call',
    'config',
    'login',
    'logout',
    'user add',
    'user list',
    'user passwd',
    'key create',
    'key list',
    'key revoke',
    'secrets rotate',
    'health',
    'doctor',
  ]

  test.each(COMMANDS)('%s --help shows an example and --json', async (command) => {
    const { code, stdout } = await run([...command.split(' '), '--help'])
    expect(code).toBe(0)
    expect(stdout).toMatch(new RegExp(`Example: metamcp ${command}`))
    expect(stdout).toContain('--json')
  })

  test('an unknown command or option exits with 1 and names the nearest', async () => {
    expect(await run(['server'])).toMatchObject({ code: 1, stderr: expect.stringMatching(/serve/) as string })
    expect(await run(['tools', '--jso'])).toMatchObject({ code: 1, stderr: expect.stringMatching(/--json/) as string })
  })
})

describe('serve and stdio', () => {
  test('get their flags and decide the exit code', async () => {
    const given: unknown[] = []
    const commands: GatewayCommands = {
      ...NO_COMMANDS,
      serve: (flags) => Promise.resolve(given.push(flags) + 2),
      stdio: (flags) => Promise.resolve(given.push(flags) + 5),
    }
    const flags = ['--config', 'c.yaml', '--host', '::1', '--port', '0', '--data-dir', 'd']
    expect(await run(['serve', ...flags], commands)).toMatchObject({ code: 3 })
    expect(await run(['stdio', '--namespace', 'dev'], commands)).toMatchObject({ code: 7 })
    expect(given).toEqual([{ config: 'c.yaml', host: '::1', port: '0', dataDir: 'd' }, { namespace: 'dev' }])
  })

  test('R201 a configuration that cannot be used is told in its own words', async () => {
    const { code, stderr } = await run(['serve'], { ...NO_COMMANDS, serve: refused })
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'metamcp: The configuration has a problem: flag --port: must be a number\n',
    })
  })
})

describe('config', () => {
  test.each([
    ['cursor', { mcpServers: { metamcp: { url: 'http://h:1/mcp' } } }],
    ['vscode', { servers: { metamcp: { type: 'http', url: 'http://h:1/mcp' } } }],
    ['windsurf', { mcpServers: { metamcp: { serverUrl: 'http://h:1/mcp' } } }],
    ['claude', null],
  ])('%s gets its entry for HTTP and one to start as a command', async (client, http) => {
    const { stdout } = await run(['config', client, '--json', '--url', 'http://h:1/'])
    const section = client === 'vscode' ? 'servers' : 'mcpServers'
    const stdio = {
      [section]: {
        metamcp: { command: '/usr/bin/node', args: ['/opt/bin/metamcp.js', 'stdio', '--url', 'http://h:1'] },
      },
    }
    expect(JSON.parse(stdout)).toMatchObject({ http, stdio })
  })

  test('an unknown client is an error that names the known ones', async () => {
    expect(await run(['config', 'constructor'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('cursor') as string,
    })
  })
})
