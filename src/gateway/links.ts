import type { Logger } from '#kernel/logger'
import type { ArgumentSchemas } from './argument-schemas.ts'
import type { Links } from './call-path.ts'
import type { History } from './history.ts'
import { createGuards, type Guard } from './interceptors/guards.ts'
import { createHistoryLink } from './interceptors/history.ts'
import { createLimitConcurrency } from './interceptors/limit-concurrency.ts'
import { createTimeout } from './interceptors/timeout.ts'
import { createTrace } from './interceptors/trace.ts'
import { createValidateArguments } from './interceptors/validate-arguments.ts'

export interface LinksDeps {
  readonly log: Logger
  /** Epoch milliseconds. */
  now(): number
  readonly history: History
  readonly schemas: ArgumentSchemas
  guards(): readonly Guard[]
}

/** Builds the links that exist; `callPath` puts them in order. */
export function createLinks({ log, now, history, schemas, guards }: LinksDeps): Links {
  return {
    trace: createTrace(log, now),
    history: createHistoryLink(history),
    validateArguments: createValidateArguments(schemas),
    guards: createGuards(guards),
    limitConcurrency: createLimitConcurrency(),
    timeout: createTimeout(now),
  }
}
