import { AppError } from '#kernel/errors'
import type { Embedder } from './embedder.ts'
import { ofLength } from './text-vectors.ts'

const WARM_UP = 'tool'

/** Whether the model can be asked. The first answer tells how long its vectors are; that must not change any more. */
export function createTrial(embedder: Embedder, changed: () => void, signal: AbortSignal) {
  let isWarm = false
  let queryMsMax: number | undefined
  let dimensions = 0
  const answerInTime = async (ms: number): Promise<void> => {
    const patience = AbortSignal.timeout(ms)
    const tooSlow = (): AppError =>
      new AppError('unavailable', `${embedder.model} takes longer than the ${ms} ms that a query waits`)
    await embedder.embed([WARM_UP], AbortSignal.any([signal, patience])).catch((thrown: unknown) => {
      throw patience.aborted ? tooSlow() : thrown
    })
  }
  const become = (warm: boolean): void => {
    if (isWarm === warm) return
    isWarm = warm
    changed()
  }
  return {
    isWarm: () => isWarm,
    isDoubted: () => queryMsMax !== undefined,
    dimensions: () => dimensions,
    async warmUp(): Promise<void> {
      const [vector] = await embedder.embed([WARM_UP], signal)
      dimensions = ofLength(vector, dimensions || undefined).length
      // What had to be loaded is loaded by now.
      if (queryMsMax !== undefined) await answerInTime(queryMsMax)
      queryMsMax = undefined
      become(true)
    },
    doubt(ms: number): void {
      queryMsMax = ms
      become(false)
    },
  }
}
