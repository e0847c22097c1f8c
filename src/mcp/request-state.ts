import { AppError } from '#kernel/errors'
import { isJsonObject, type JsonValue } from '#kernel/json'
import type { RpcRequest } from '#kernel/rpc-message'
import { digest, type Sealer } from '#kernel/seal'
import type { Principal } from '#identity/principal'

const PURPOSE = 'request state'
const LIFETIME_MS = 10 * 60_000

/** What comes back with a retry: an upstream's own state, or the handle of a call that waits here. */
export type RequestState =
  | { readonly kind: 'upstream'; readonly stateText: string }
  | { readonly kind: 'parked'; readonly run: string; readonly round: number }

/** What a state is sealed to: a request of this caller at this endpoint. */
interface StateOwner {
  readonly request: RpcRequest
  readonly principal: Principal
  readonly namespace: string | undefined
}

interface Bound {
  readonly state: RequestState
  readonly owner: string
  readonly expires: number
}

/** Seals states to owner and time: a client can neither read nor change them, nor use them for another call. */
export interface RequestStates {
  seal(state: RequestState, owner: StateOwner): string
  /** Throws `validation_error` (-32602) for a state that is not ours, not this owner's, or too old. */
  open(sealed: JsonValue, owner: StateOwner): RequestState
}

export function createRequestStates(sealer: Sealer, now: () => number): RequestStates {
  return {
    seal(state, owner) {
      const bound: Bound = { state, owner: fingerprint(owner), expires: now() + LIFETIME_MS }
      return sealer.seal(PURPOSE, JSON.stringify(bound))
    },
    open(sealed, owner) {
      const text = typeof sealed === 'string' ? sealer.open(PURPOSE, sealed) : undefined
      if (text === undefined) throw new AppError('validation_error', 'The requestState is not one of this gateway')
      const bound = JSON.parse(text) as Bound
      if (bound.owner !== fingerprint(owner))
        throw new AppError('validation_error', 'The requestState belongs to another request')
      if (bound.expires < now())
        throw new AppError('validation_error', 'The requestState has expired: start the call again')
      return bound.state
    },
  }
}

/** The same caller, endpoint, method, target and arguments, however the client wrote them this time. */
function fingerprint({ request: { method, params }, principal, namespace }: StateOwner): string {
  const { name, uri, arguments: args } = params
  return digest(
    JSON.stringify([
      principal.id,
      principal.keyId ?? principal.grant?.clientId ?? null,
      namespace ?? null,
      method,
      name ?? uri ?? null,
      sorted(args),
    ]),
  )
}

function sorted(value: JsonValue | undefined): JsonValue {
  if (Array.isArray(value)) return value.map((each: JsonValue) => sorted(each))
  if (!isJsonObject(value)) return value ?? null
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]))
}
