import type { Broadcast } from '#kernel/broadcast'
import type { Cache } from './cache.ts'
import { keySelector, type CacheSelector } from './cache-key.ts'
import type { SecondLevel } from './second-level.ts'

const TOPIC = 'cache'
/** More removals than this that others have not heard of are one of everything. */
const OWED_MAX = 100
const EVERYTHING: CacheSelector = {}
/** A second level that could not be told is asked again so often, until it hears. */
const RETRY_MS = 500

interface JointRemovalDeps<T> {
  readonly cache: Pick<Cache<T, never>, 'remove'>
  readonly second: SecondLevel<T> | undefined
  readonly broadcast: Broadcast
}

export interface JointRemoval extends Disposable {
  /** Removes here, in the second level and in all other gateways; answers how many values that were here and in the second level. */
  remove(selector: CacheSelector): Promise<number>
}

export function createJointRemoval<T>({ cache, second, broadcast }: JointRemovalDeps<T>): JointRemoval {
  let owed: CacheSelector[] = []
  let timer: NodeJS.Timeout | undefined
  let isOver = false
  const payOff = (): void => {
    clearTimeout(timer)
    timer = undefined
    const missed = owed
    owed = []
    for (const selector of missed) void tellOthers(selector)
  }
  const owe = (selector: CacheSelector): void => {
    owed = owed.length < OWED_MAX ? [...owed, selector] : [EVERYTHING]
    if (!isOver) timer ??= setTimeout(payOff, RETRY_MS).unref()
  }
  const tellOthers = async (selector: CacheSelector): Promise<readonly string[]> => {
    if (!second) return []
    const removed = await second.remove(keySelector(selector))
    if (!removed) owe(selector)
    broadcast.send(TOPIC, JSON.stringify(selector))
    return removed ?? []
  }
  /** What came into the second level from here after the other had removed it there is in memory here, too. */
  broadcast.listen(TOPIC, (text) => second?.forget(cache.remove(JSON.parse(text) as CacheSelector)))
  broadcast.onGap(() => {
    cache.remove(EVERYTHING)
    payOff()
  })
  return {
    async remove(selector) {
      const here = cache.remove(selector)
      return new Set([...here, ...(await tellOthers(selector))]).size
    },
    [Symbol.dispose]() {
      isOver = true
      clearTimeout(timer)
    },
  }
}
