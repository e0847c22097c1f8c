import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { CliError } from './cli-error.ts'

const READABLE_BY_OTHERS = 0o077
const LOCK_MS = { look: 25, patience: 10_000, stale: 30_000 } as const

const login = z.object({
  username: z.string(),
  access_token: z.string(),
  refresh_token: z.string(),
  /** Epoch milliseconds. */
  expires_at: z.number(),
})
/** What `metamcp login` keeps of one gateway. */
export type Login = z.infer<typeof login>

const file = z.object({ logins: z.record(z.string(), login) })

/** The logins of this person on this machine, by the address of the gateway: a file that only its owner can read. */
export interface Logins {
  find(url: string): Promise<Login | undefined>
  /** Undefined forgets it. */
  put(url: string, login: Login | undefined): Promise<void>
  /** Runs while no other command changes logins: a refresh token is good once, and two that use it at a time end the login. */
  alone<T>(work: () => Promise<T>): Promise<T>
}

export function createLogins(dataDir: string): Logins {
  const path = join(dataDir, 'logins.json')
  return {
    find: async (url) => (await read(path))[url],
    async put(url, changed) {
      const { [url]: _before, ...others } = await read(path)
      await write(path, dataDir, changed ? { ...others, [url]: changed } : others)
    },
    alone: (work) => locked(`${path}.lock`, dataDir, work),
  }
}

async function read(path: string): Promise<Record<string, Login>> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  })
  if (text === undefined) return {}
  if (process.platform !== 'win32' && ((await stat(path)).mode & READABLE_BY_OTHERS) !== 0)
    throw new CliError(`Others on this machine can read ${path}; run chmod 600 on it, and log in again`)
  try {
    return file.parse(JSON.parse(text)).logins
  } catch (cause) {
    throw new CliError(`${path} is damaged; remove it and log in again`, { cause })
  }
}

async function write(path: string, dataDir: string, logins: Record<string, Login>): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  await writeFile(draft, `${JSON.stringify({ logins })}\n`, { mode: 0o600, flag: 'wx' })
  await rename(draft, path)
}

async function locked<T>(path: string, dataDir: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const end = Date.now() + LOCK_MS.patience
  while (!(await taken(path))) {
    if (Date.now() > end) throw new CliError(`Another command keeps ${path}; remove it if none runs`)
    await delay(LOCK_MS.look)
  }
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

/** One that is older than any command takes was left behind. */
async function taken(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close()
    return true
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
    const since = await stat(path).catch(() => undefined)
    if (since && Date.now() - since.mtimeMs > LOCK_MS.stale) await rm(path, { force: true })
    return false
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
