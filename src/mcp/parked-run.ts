import type { Answer, CallResult, Question } from '#gateway/call'
import { AppError, toAppError } from '#kernel/errors'
import { isJsonObject, type JsonObject } from '#kernel/json'
import { memberText } from '#kernel/json-text'
import { canAnswer, neededCapability } from './primitives.ts'

/** Questions that come together are asked together. */
const GATHER_MS = 15

interface Open {
  readonly method: string
  readonly paramsText: string
  readonly answered: PromiseWithResolvers<Answer>
}

/** What a run comes to next: its end, or questions that only the client can answer. */
export type Step =
  | { readonly kind: 'result'; readonly result: CallResult }
  | { readonly kind: 'error'; readonly error: AppError }
  | { readonly kind: 'questions'; readonly inputRequestsText: string }

/**
 * One call of a stateless client at a server that asks back in the middle: the call waits ("is parked") while the client
 * goes away with the questions and comes back with the answers.
 */
export class ParkedRun {
  readonly #capabilities: JsonObject
  readonly #abort: (reason: AppError) => void
  readonly #open = new Map<string, Open>()
  #asked = 0
  #gathering: NodeJS.Timeout | undefined
  #step = Promise.withResolvers<Step>()
  #last: Step | undefined

  constructor(capabilities: JsonObject, abort: (reason: AppError) => void) {
    this.#capabilities = capabilities
    this.#abort = abort
  }

  /** Takes the end of the call, whichever comes. */
  follow(outcome: Promise<CallResult>): void {
    outcome.then(
      (result) => this.#end({ kind: 'result', result }),
      (error: unknown) => this.#end({ kind: 'error', error: toAppError(error) }),
    )
  }

  /** What comes next. Asked again after each `answer`. */
  next(): Promise<Step> {
    return this.#last ? Promise.resolve(this.#last) : this.#step.promise
  }

  get isWaiting(): boolean {
    return this.#open.size > 0
  }

  /** The server needs what this client never declared: the call cannot be done for it. */
  lacks(method: string, paramsText = '{}'): AppError {
    const requiredCapabilities = neededCapability(method, JSON.parse(paramsText) as JsonObject) ?? {}
    const error = new AppError('missing_capability', `This call needs a client that can answer ${method}`, {
      details: { requiredCapabilities },
    })
    this.#abort(error)
    return error
  }

  ask({ method, paramsText, signal }: Question): Promise<Answer> {
    if (!canAnswer(this.#capabilities, method, JSON.parse(paramsText) as JsonObject)) {
      return Promise.reject(this.lacks(method, paramsText))
    }
    this.#asked += 1
    const key = `input_${this.#asked}`
    const answered = Promise.withResolvers<Answer>()
    this.#open.set(key, { method, paramsText, answered })
    signal.addEventListener('abort', () => {
      this.#open.delete(key)
      answered.reject(new AppError('cancelled', 'The server no longer wants the answer'))
    })
    this.#gathering ??= setTimeout(() => this.#raise(), GATHER_MS)
    return answered.promise
  }

  /** Hands over the answers of a retry. What is missing or no object is asked again; what nobody asked is ignored. */
  answer(inputResponses: JsonObject, inputResponsesText: string): void {
    if (this.#last) return
    this.#step = Promise.withResolvers<Step>()
    for (const [key, { answered }] of this.#open) {
      if (!Object.hasOwn(inputResponses, key) || !isJsonObject(inputResponses[key])) continue
      this.#open.delete(key)
      answered.resolve({ resultText: memberText(inputResponsesText, key) ?? '{}' })
    }
    if (this.#open.size > 0) this.#gathering ??= setTimeout(() => this.#raise(), GATHER_MS)
  }

  #raise(): void {
    this.#gathering = undefined
    if (this.#open.size === 0) return
    const requests = [...this.#open].map(
      ([key, { method, paramsText }]) => `"${key}":{"method":${JSON.stringify(method)},"params":${paramsText}}`,
    )
    this.#step.resolve({ kind: 'questions', inputRequestsText: `{${requests.join(',')}}` })
  }

  #end(step: Step): void {
    clearTimeout(this.#gathering)
    for (const { answered } of this.#open.values()) answered.reject(new AppError('cancelled', 'The call has ended'))
    this.#open.clear()
    this.#last = step
    this.#step.resolve(step)
  }
}
