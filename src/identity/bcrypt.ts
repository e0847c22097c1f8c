import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

export interface BcryptQuestion {
  readonly password: string
  readonly hash: string
}

/** The same file seen from `src/` and from `dist/`. */
const WORKER = new URL(`./bcrypt-worker${extname(import.meta.filename)}`, import.meta.url)
const COMPARE_MS_MAX = 10_000
/** bcrypt reads no further: longer passwords with an equal start would all be right. */
const BYTES_MAX = 72
/** Up to cost 14, some two seconds; each further one doubles it. */
const HASH = /^\$2[abxy]?\$(0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}$/

export function isBcryptHash(hash: string): boolean {
  return HASH.test(hash)
}

/**
 * Whether `hash` is of this password to its last byte. False for one that bcrypt cannot tell from others: beyond 72 bytes,
 * or with a NUL, at which it begins anew.
 */
export async function bcryptMatches(password: string, hash: string): Promise<boolean> {
  if (Buffer.byteLength(password) > BYTES_MAX || password.includes('\0')) return false
  const question: BcryptQuestion = { password, hash }
  const worker = new Worker(WORKER, { workerData: question })
  try {
    const [answer] = (await once(worker, 'message', { signal: AbortSignal.timeout(COMPARE_MS_MAX) })) as [boolean]
    return answer
  } finally {
    await worker.terminate()
  }
}
