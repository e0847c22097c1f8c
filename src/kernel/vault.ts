import { createHmac } from 'node:crypto'
import { createSealer, type Sealer } from './seal.ts'

const FORM = 'sealed:v1'
const LABEL = 'metamcp at rest v1'

/** What became of an attempt to open: the text, or a plain sentence why not. */
type Opened = { readonly text: string } | { readonly problem: string }

/**
 * Keeps what is secret unreadable where it is stored. A place (`table:column:row`) is authenticated with the text: what was
 * sealed for one opens nowhere else.
 */
export interface Vault {
  /** Under the current key. */
  seal(place: string, text: string): string
  open(place: string, sealed: string): Opened
  /** Whether it was sealed under the key that is current now. */
  isCurrent(sealed: string): boolean
  /** What the current key is called in what it seals; tells nothing about it. */
  readonly keyId: string
  /** From now on: the first seals, all open. */
  useKeys(keys: readonly Uint8Array[]): void
}

/** The first key seals; the others were first before, and open what they sealed. */
export function createVault(keys: readonly Uint8Array[]): Vault {
  let ring = ringOf(keys)
  return {
    get keyId() {
      return ring.current.id
    },
    seal(place, text) {
      const { id, sealer } = ring.current
      return `${FORM}:${id}:${sealer.seal(place, text)}`
    },
    open(place, sealed) {
      const [form, version, id = '', body = ''] = sealed.split(':')
      if (`${form}:${version}` !== FORM) return { problem: 'It is not written in a form that this version knows' }
      const key = ring.all.get(id)
      if (!key) return { problem: `It was sealed with a key that this gateway has not (${id})` }
      const text = key.open(place, body)
      return text === undefined ? { problem: 'It was changed, or belongs to something else' } : { text }
    },
    isCurrent: (sealed) => sealed.startsWith(`${FORM}:${ring.current.id}:`),
    useKeys(others) {
      ring = ringOf(others)
    },
  }
}

interface NamedKey {
  readonly id: string
  readonly sealer: Sealer
}

function ringOf(keys: readonly Uint8Array[]) {
  const [current, ...others] = keys.map(namedKey)
  if (!current) throw new TypeError('a vault needs a key')
  return { current, all: new Map([current, ...others].map(({ id, sealer }) => [id, sealer])) }
}

function namedKey(key: Uint8Array): NamedKey {
  const id = createHmac('sha256', key).update(`${LABEL} key id`).digest('base64url').slice(0, 11)
  return { id, sealer: createSealer(key, LABEL) }
}
