import type { Identity } from '#identity/create-identity'
import type { Broadcast } from '#kernel/broadcast'
import { messageOf } from '#kernel/errors'
import { inTurn } from '#kernel/in-turn'
import type { Logger } from '#kernel/logger'
import type { RoleRegistry } from '#policy/role-registry'

/** Without news from the others, roles are read so often where others write them too. */
const POLL_MS = 1_000
const PRUNE_MS = 10 * 60_000
/** What gateways tell each other. */
const WITHDRAWN = 'withdrawn'
const ROLES = 'roles'

interface KeepAccessDeps {
  readonly identity: Pick<Identity, 'withdraw' | 'doubt' | 'prune'>
  readonly roles: Pick<RoleRegistry, 'reload'>
  readonly broadcast: Broadcast
  /** Whether other gateways write to the same storage. */
  readonly isShared: boolean
  readonly log: Logger
}

/** What identity and roles tell the other gateways. */
export function accessNews(broadcast: Broadcast) {
  return {
    withdrawn: (id: string): void => broadcast.send(WITHDRAWN, id),
    rolesChanged: (): void => broadcast.send(ROLES, ''),
  }
}

/**
 * Does here what was decided on another gateway, and removes what has expired. Requests need no poll of ours: where others
 * write too, the authenticator reads anew after a second. What stays open has nobody who asks, so it is looked after here.
 */
export function keepAccess({ identity, roles, broadcast, isShared, log }: KeepAccessDeps): Disposable {
  const readRoles = reporting(() => roles.reload(), 'roles could not be read anew', log)
  const prune = reporting(() => identity.prune(), 'what has expired could not be removed', log)
  broadcast.listen(WITHDRAWN, identity.withdraw)
  broadcast.listen(ROLES, () => void readRoles())
  broadcast.onGap(() => {
    // The others may have missed ours as we missed theirs.
    broadcast.send(ROLES, '')
    void readRoles()
    identity.doubt()
  })
  const poll = setInterval(() => {
    if (isShared && (!broadcast.isLive || readRoles.hasFailed())) void readRoles()
    if (isShared && !broadcast.isLive) identity.doubt()
  }, POLL_MS)
  const pruning = setInterval(() => void prune(), PRUNE_MS)
  // A gateway that could not start does not stay for these.
  poll.unref()
  pruning.unref()
  return {
    [Symbol.dispose]() {
      clearInterval(poll)
      clearInterval(pruning)
    },
  }
}

/** Runs one at a time, logs the first failure of a series, and remembers it until one succeeds. */
function reporting(work: () => Promise<void>, phrase: string, log: Logger) {
  let failed = false
  const attempt = async (): Promise<void> => {
    try {
      await work()
      failed = false
    } catch (thrown) {
      if (!failed) log.warn({ error: messageOf(thrown) }, phrase)
      failed = true
    }
  }
  return Object.assign(inTurn(attempt), { hasFailed: () => failed })
}
