/** Carries small texts to the other gateways of one deployment: what changed, never the only copy of anything. */
export interface Broadcast {
  /** To the others, not to this gateway. Waits for nothing and never throws: what cannot be sent is lost, see `onGap`. */
  send(topic: string, text: string): void
  /** What others send; `heard` must not throw. */
  listen(topic: string, heard: (text: string) => void): void
  /** Runs `missed` when messages may have been lost and arrive again: then what was remembered has to be read anew. */
  onGap(missed: () => void): void
  /** Whether what others send arrives now. */
  readonly isLive: boolean
}

/** Of a gateway that has no way to others. */
export const NO_BROADCAST: Broadcast = { send() {}, listen() {}, onGap() {}, isLive: false }
