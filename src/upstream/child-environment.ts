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
