import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from './config.ts'
import { demandPrivate, isCode } from './private-files.ts'
import { configError } from './problems.ts'
import { weaknessOf } from './secret.ts'

const KEY_BYTES = 48
const FILE_NAME = 'secret.key'

/** The gateway's own keys: they sign, and they seal what travels through clients and what is stored. */
export interface KeyRing {
  /** The first is the current one; the others were, and still open and verify what they did. */
  readonly keys: readonly [Buffer, ...Buffer[]]
  /** Makes another key and puts it first, durably. `done` lets go of what was not in use in this run. Absent where keys are settings. */
  rotate?(): Promise<{ readonly ring: KeyRing; done(): Promise<void> }>
}

/** The current key alone. */
export async function secretKey(config: KeyConfig): Promise<Buffer> {
  return (await keyRing(config)).keys[0]
}

type KeyConfig = Pick<Config, 'secretKey' | 'previousSecretKeys' | 'dataDir'>

/**
 * The configured keys, else those in the data dir, of which the first is made at the first start.
 * Of two processes that start at once both get the same. Throws ConfigError when a kept key cannot be trusted.
 */
export async function keyRing(config: KeyConfig): Promise<KeyRing> {
  const { secretKey, previousSecretKeys = [], dataDir } = config
  const previous = previousSecretKeys.map((key) => Buffer.from(key.reveal()))
  if (secretKey) return { keys: [Buffer.from(secretKey.reveal()), ...previous] }
  const path = join(dataDir, FILE_NAME)
  const kept = (await readKeys(path)) ?? (await createKey(path, dataDir))
  return fileRing({ path, kept, previous, made: 0 })
}

type Kept = readonly [string, ...string[]]

interface KeyFile {
  readonly path: string
  readonly kept: Kept
  readonly previous: readonly Buffer[]
  /** How many keys this run has made: what it began with is in use until it ends. */
  readonly made: number
}

function fileRing({ path, kept, previous, made }: KeyFile): KeyRing {
  const [current, ...others] = kept
  return {
    keys: [Buffer.from(current), ...others.map((key) => Buffer.from(key)), ...previous],
    async rotate() {
      const keys: Kept = [newKey(), ...kept]
      await replaceKeys(path, keys)
      const done = () => replaceKeys(path, keys.slice(0, made + 2))
      return { ring: fileRing({ path, kept: keys, previous, made: made + 1 }), done }
    },
  }
}

function newKey(): string {
  return randomBytes(KEY_BYTES).toString('base64url')
}

/** One key a line; undefined where there is no file. */
async function readKeys(path: string): Promise<Kept | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  })
  if (text === undefined) return undefined
  const [first = '', ...others] = text.trim().split(/\s*\n\s*/)
  const keys: Kept = [first, ...others]
  const weakness = keys.map(weaknessOf).find((each) => each !== undefined)
  if (weakness !== undefined) throw configError(path, `${weakness}, or remove the file`)
  await demandPrivate(path)
  return keys
}

/** Writes a file of its own and links it into place: a link never replaces, so the first one wins, complete. */
async function createKey(path: string, dataDir: string): Promise<Kept> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const draft = await writeDraft(path, [newKey()])
  try {
    await link(draft, path)
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
  } finally {
    await rm(draft, { force: true })
  }
  const made = await readKeys(path)
  if (!made) throw configError(path, 'vanished right after it was made')
  return made
}

async function replaceKeys(path: string, keys: readonly string[]): Promise<void> {
  await rename(await writeDraft(path, keys), path)
}

async function writeDraft(path: string, keys: readonly string[]): Promise<string> {
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(`${keys.join('\n')}\n`)
    await file.sync()
    return draft
  } finally {
    await file.close()
  }
}
