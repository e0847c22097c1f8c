import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto'

const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
const DIGEST_CHARS = 22

/**
 * Closes values that travel through a client and come back: session ids, cursors, request states.
 * The purpose is authenticated with the payload, so a cursor never opens as a session id.
 */
export interface Sealer {
  /** URL-safe text that only `open` with the same purpose can read. */
  seal(purpose: string, payload: string): string
  /** The payload, or undefined for anything that this key did not seal for this purpose. */
  open(purpose: string, sealed: string): string | undefined
}

/** AES-256-GCM under a key that HKDF-SHA-256 derives from `secret` (at least 32 bytes) for what `label` says. */
export function createSealer(secret: Uint8Array, label = 'metamcp seal v1'): Sealer {
  const key = Buffer.from(hkdfSync('sha256', secret, '', label, 32))
  return {
    seal(purpose, payload) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(`${VERSION}:${purpose}`))
      const body = Buffer.concat([cipher.update(payload, 'utf8'), cipher.final()])
      return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), body]).toString('base64url')
    },
    open(purpose, sealed) {
      const bytes = Buffer.from(sealed, 'base64url')
      // Node reads base64url leniently: a text that it would not have written was touched.
      if (bytes.toString('base64url') !== sealed) return undefined
      if (bytes.length < 1 + NONCE_BYTES + TAG_BYTES || bytes[0] !== VERSION) return undefined
      const nonce = bytes.subarray(1, 1 + NONCE_BYTES)
      const tag = bytes.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES)
      const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(`${VERSION}:${purpose}`))
      decipher.setAuthTag(tag)
      try {
        const body = bytes.subarray(1 + NONCE_BYTES + TAG_BYTES)
        return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8')
      } catch {
        return undefined
      }
    },
  }
}

/** Seals with the first key and opens what any of them sealed: keys change while what they sealed is under way. */
export function createRingSealer([current, ...previous]: readonly [Uint8Array, ...Uint8Array[]]): Sealer {
  const sealer = createSealer(current)
  const sealers = [sealer, ...previous.map((key) => createSealer(key))]
  return {
    seal: (purpose, payload) => sealer.seal(purpose, payload),
    open(purpose, sealed) {
      for (const each of sealers) {
        const payload = each.open(purpose, sealed)
        if (payload !== undefined) return payload
      }
      return undefined
    },
  }
}

/** A short stable fingerprint of a text: SHA-256, URL-safe, 22 characters (132 bits). */
export function digest(text: string): string {
  // `slice` would keep the rest of the text alive.
  return Buffer.from(hash('sha256', text, 'base64url'), 'latin1').toString('latin1', 0, DIGEST_CHARS)
}
