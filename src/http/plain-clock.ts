/** The lines at the end of each head, written once a second (RFC 9110, §6.6.1). */
export class PlainClock {
  readonly #keepAlive: string
  #second = 0
  #date = ''
  #lines = ''

  constructor(keepAliveMs: number) {
    this.#keepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1000)}\r\n`
  }

  /** Of an answer that others follow. */
  lines(): string {
    this.#tick()
    return this.#lines
  }

  /** Of the last answer on its connection. */
  lastLines(): string {
    this.#tick()
    return `${this.#date}Connection: close\r\n`
  }

  #tick(): void {
    const second = Math.floor(Date.now() / 1000)
    if (second === this.#second) return
    this.#second = second
    this.#date = `Date: ${new Date(second * 1000).toUTCString()}\r\n`
    this.#lines = this.#date + this.#keepAlive
  }
}
