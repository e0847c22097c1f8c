/** What can stand in a roster: it knows its own place there. */
export interface Listed {
  place?: number | undefined
}

/**
 * What is under way, in no order. Coming and going costs a few writes and makes nothing: a Set would keep what has gone
 * alive for a while, for the reason that `ChurnMap` tells.
 */
export class Roster<T extends Listed> {
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  add(item: T): void {
    if (item.place !== undefined) return
    item.place = this.#items.length
    this.#items.push(item)
  }

  delete(item: T): void {
    const { place } = item
    const last = this.#items.at(-1)
    if (place === undefined || !last) return
    this.#items[place] = last
    last.place = place
    this.#items.pop()
    // Not `delete`: that makes an object of every request a slow one.
    item.place = undefined
  }

  /** Who is there now; who comes or goes meanwhile does not matter. */
  all(): readonly T[] {
    return this.#items.slice()
  }
}
