import type { KeyRing } from '#config/secret-key'
import type { Vault } from '#kernel/vault'
import type { Storage } from './open-storage.ts'
import type { SealedRows } from './seal-rows.ts'

interface Rotated extends SealedRows {
  /** What seals from now on; tells nothing about the key. */
  readonly keyId: string
  /** Whether the key was made now; false where keys are settings. */
  readonly isNew: boolean
}

/** Seals all secrets anew: with a key that is made now, or, where keys are settings, with the one that is set. */
export type RotateSecrets = () => Promise<Rotated>

interface RotationDeps {
  readonly ring: KeyRing
  readonly vault: Vault
  readonly storage: Pick<Storage, 'reseal'>
}

/** Two at once wait for each other. */
export function createRotation({ ring: first, vault, storage }: RotationDeps): RotateSecrets {
  let ring = first
  let last: Promise<unknown> = Promise.resolve()
  const rotate = async (): Promise<Rotated> => {
    const made = await ring.rotate?.()
    if (made) {
      ring = made.ring
      vault.useKeys(ring.keys)
    }
    const rows = await storage.reseal()
    // As long as something is sealed with an older key, no key is let go.
    if (rows.locked === 0) await made?.done()
    return { ...rows, keyId: vault.keyId, isNew: made !== undefined }
  }
  return () => {
    const turn = last.then(rotate)
    last = turn.catch(() => undefined)
    return turn
  }
}
