import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { AppError } from '#kernel/errors'
import { createPrivateFile } from './private-file.ts'

const SQLITE_BUSY = 5

/**
 * Keeps every other process (and a second opening in this one) away from the database at `path` until disposed.
 * The lock is an exclusive transaction on an empty SQLite file: the operating system ends it with the process, kill -9
 * included, so there is no stale lock to recognise. Nothing in this process may open that file by other means: POSIX
 * drops all locks of a file when its process closes any descriptor of it.
 */
export function lockDatabase(path: string): Disposable {
  const pidPath = `${path}.pid`
  const lockPath = `${path}.lock`
  createPrivateFile(lockPath)
  const lock = new DatabaseSync(lockPath)
  try {
    lock.exec('begin exclusive')
    writePid(pidPath)
  } catch (thrown) {
    lock.close()
    throw isBusy(thrown) ? inUse(dirname(path), readPid(pidPath), thrown) : thrown
  }
  return {
    [Symbol.dispose]: () => {
      rmSync(pidPath, { force: true })
      lock.close()
    },
  }
}

function isBusy(thrown: unknown): boolean {
  return (thrown as { errcode?: unknown }).errcode === SQLITE_BUSY
}

function inUse(directory: string, pid: number | undefined, cause: unknown): AppError {
  const owner = pid === undefined ? 'another process' : `process ${pid}`
  const details = pid === undefined ? {} : { pid }
  return new AppError(
    'conflict',
    `The data directory ${directory} is in use by ${owner}; stop it, or name another directory (--data-dir)`,
    { details, cause },
  )
}

/** Undefined also for a pid that a killed owner left behind, in the instant before the new owner writes its own. */
function readPid(pidPath: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidPath, 'utf8'))
    return Number.isSafeInteger(pid) && pid > 0 && isAlive(pid) ? pid : undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function writePid(pidPath: string): void {
  const draft = `${pidPath}.new`
  writeFileSync(draft, `${process.pid}\n`, { mode: 0o600 })
  renameSync(draft, pidPath)
}
