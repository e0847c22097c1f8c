import { AppError } from '#kernel/errors'
import type { Principal } from './principal.ts'

/** Whether the credential of a principal is in doubt. */
type IsMeant = (principal: Principal) => boolean

/** What becomes of principals after their requests, for those who keep something open for them. */
export interface Standing {
  /**
   * Who has the credential of a principal by now, perhaps with other roles; undefined when it was withdrawn. That a token has
   * only come to its end does not count: its owner may have another one. Rejects with `unavailable`.
   */
  again(principal: Principal): Promise<Principal | undefined>
  /** Told whose credentials are in doubt; answers how to hear no more. */
  onDoubt(told: (isMeant: IsMeant) => void): () => void
  /** What others withdrew may not have been heard of: every credential is in doubt. */
  doubt(): void
}

/** A credential that was found good. */
interface Checked {
  readonly principal: Principal
  /** Of the user, the token, the family, the key. */
  readonly ids: readonly string[]
  /** Asks the stores anew. Rejects with `authentication_error`. */
  readonly again: () => Promise<Checked>
}

export function createStanding() {
  const checks = new WeakMap<Principal, Checked>()
  const listeners = new Set<(isMeant: IsMeant) => void>()
  const tell = (isMeant: IsMeant): void => {
    for (const told of listeners) told(isMeant)
  }
  const keep = (checked: Checked): Principal => {
    checks.set(checked.principal, checked)
    return checked.principal
  }
  const standing: Standing = {
    async again(principal) {
      const checked = checks.get(principal)
      return checked ? checked.again().then(keep, unlessRefused) : principal
    },
    onDoubt(told) {
      listeners.add(told)
      return () => listeners.delete(told)
    },
    doubt: () => tell((principal) => checks.has(principal)),
  }
  /** A user, a family, a token or an API key was withdrawn. */
  const withdrew = (id: string): void => tell((principal) => checks.get(principal)?.ids.includes(id) === true)
  return { ...standing, keep, withdrew }
}

function unlessRefused(thrown: unknown): undefined {
  if (thrown instanceof AppError && thrown.code === 'authentication_error') return undefined
  throw thrown
}
