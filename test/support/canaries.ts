import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Somewhere that a secret could get out. */
export interface Place {
  readonly name: string
  /** All that is there. */
  readonly text: string
  /** What must be found there: else nobody looked. */
  readonly control: string
  /** Secrets whose place this is, by name. */
  readonly own?: readonly string[]
}

/** Secrets, each different from all others, and each known by where it was put in. */
export interface Canaries {
  readonly size: number
  /** One to be put in somewhere. */
  plant(where: string): string
  /** One that the gateway made. */
  minted(where: string, value: string): string
  /** What of them can be read at these places; a place without its control, or a secret that is none, is found too. */
  found(places: readonly Place[]): string[]
}

const SECRET_CHARS_MIN = 16

export function createCanaries(): Canaries {
  const secrets = new Map<string, string>()
  const keep = (where: string, value: string): string => {
    if (secrets.has(where)) throw new Error(`two secrets are in ${where}`)
    secrets.set(where, value)
    return value
  }
  return {
    get size() {
      return secrets.size
    },
    plant: (where) => keep(where, `cnry${randomBytes(16).toString('hex')}`),
    minted: keep,
    found: (places) => {
      const short = [...secrets].filter(([, value]) => value.length < SECRET_CHARS_MIN)
      return [
        ...short.map(([where]) => `${where} is no secret`),
        ...places.flatMap(({ name, text, control, own = [] }) => [
          ...(text.includes(control) ? [] : [`${name} does not show ${control}`]),
          ...[...secrets]
            .filter(([where, value]) => !own.includes(where) && isIn(text, value))
            .map(([where]) => `${name} shows ${where}`),
        ]),
      ]
    },
  }
}

/** As it is, or as programs write it down. */
function isIn(text: string, secret: string): boolean {
  const bytes = Buffer.from(secret)
  return [secret, bytes.toString('base64').replace(/=+$/, ''), bytes.toString('hex')].some((each) =>
    text.includes(each),
  )
}

/** Every byte of every file below, but of those with these names. */
export function filesBelow(directory: string, except: readonly string[] = []): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !except.includes(entry.name))
    .map((entry) => `${entry.name}\n${readFileSync(join(entry.parentPath, entry.name), 'latin1')}`)
    .join('\n')
}

/** Of one process, or of all on this machine. */
export function readProc(what: 'cmdline' | 'environ', pids: readonly number[] = allPids()): string {
  return pids.map((pid) => attempt(() => readFileSync(`/proc/${pid}/${what}`, 'latin1'))).join('\n')
}

export function allPids(): number[] {
  return readdirSync('/proc').flatMap((entry) => (Number(entry) > 0 ? [Number(entry)] : []))
}

/** Processes end while one looks. */
function attempt(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}
