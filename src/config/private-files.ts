import { stat } from 'node:fs/promises'
import { configError } from './problems.ts'

const READABLE_BY_OTHERS = 0o004

/** Throws ConfigError for a file with a secret that every user of the machine can read. */
export async function demandPrivate(path: string): Promise<void> {
  const { mode } = await stat(path)
  if (process.platform === 'win32' || (mode & READABLE_BY_OTHERS) === 0) return
  throw configError(path, 'can be read by every user of this machine; run chmod 600 on it')
}

export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
