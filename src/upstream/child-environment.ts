import type { Environment } from './child-process-tree.ts'

/** What a child inherits: enough to find programs, a home and a language, none of our secrets. */
const INHERITED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TERM', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR']
const INHERITED_ON_WINDOWS = [
  'SYSTEMROOT',
  'SYSTEMDRIVE',
  'APPDATA',
  'LOCALAPPDATA',
  'PROGRAMFILES',
  'TEMP',
  'USERNAME',
  'USERPROFILE',
  'PATHEXT',
  'COMSPEC',
]

/** The environment for another user: whose home it is, programs then ask the system. */
export function withoutUser(inherited: Environment): Environment {
  const { HOME: _home, USER: _user, LOGNAME: _logname, SHELL: _shell, TMPDIR: _tmpdir, ...others } = inherited
  return others
}

/** A clean environment for a stdio server: an allow-list of ours, and what the operator gave it. */
export function childEnvironment(
  inherited: Environment,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const name of [...INHERITED, ...INHERITED_ON_WINDOWS]) {
    const value = inherited[name]
    if (value !== undefined && !value.startsWith('()')) environment[name] = value
  }
  return { ...environment, ...own }
}
