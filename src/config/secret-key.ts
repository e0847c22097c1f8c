import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from './config.ts'
import { ConfigError } from './problems.ts'
import { weaknessOf } from './secret.ts'

const KEY_BYTES = 48
const READABLE_BY_OTHERS = 0o004

/**
 * The key that seals what travels through clients: the configured one, else the one in the data dir, made at the first start.
 * Of two processes that start at once both get the same. Throws ConfigError when the kept key cannot be trusted.
 */
export async function secretKey(config: Pick<Config, 'secretKey' | 'dataDir'>): Promise<Buffer> {
  if (config.secretKey) return Buffer.from(config.secretKey.reveal())
  const path = join(config.dataDir, 'secret.key')
  const kept = await readKey(path)
  if (kept) return kept
  await createKey(path, config.dataDir)
  const made = await readKey(path)
  if (!made) throw new ConfigError([{ source: path, text: 'vanished right after it was made' }])
  return made
}

async function readKey(path: string): Promise<Buffer | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  })
  if (text === undefined) return undefined
  const weakness = weaknessOf(text.trim())
  if (weakness !== undefined) throw new ConfigError([{ source: path, text: `${weakness}, or remove the file` }])
  const { mode } = await stat(path)
  if (process.platform !== 'win32' && (mode & READABLE_BY_OTHERS) !== 0)
    throw new ConfigError([
      {
        source: path,
        text: 'can be read by every user of this machine; run chmod 600 on it, or remove it to get a new key',
      },
    ])
  return Buffer.from(text.trim())
}

/** Writes a file of its own and links it into place: a link never replaces, so the first one wins, complete. */
async function createKey(path: string, dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(`${randomBytes(KEY_BYTES).toString('base64url')}\n`)
    await file.sync()
    await link(draft, path)
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
  } finally {
    await file.close()
    await rm(draft, { force: true })
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
