import type { Call, CallResult } from './call.ts'

/** The one way in: every surface hands its calls to this and gets the upstream's answer or an AppError. */
export interface Gateway {
  run(call: Call): Promise<CallResult>
  /** Calls that run now. */
  readonly running: number
  /** Takes no more calls; resolves when none runs any more. */
  drain(): Promise<void>
  /** Ends the calls that still run: their callers are told that the gateway stops. */
  giveUp(): void
}
