/** What search knows of one tool. */
export interface SearchDocument {
  readonly server: string
  /** The server's own title and description, where it has any. */
  readonly serverText: string
  readonly name: string
  readonly description: string
  readonly parameterNames: readonly string[]
  readonly parameterTexts: readonly string[]
  /** What was asked when the tool turned out to be the right one. */
  readonly learned: readonly Lesson[]
}

/** A query that led to a tool. A fresh one has weight 1, older ones less. */
export interface Lesson {
  readonly text: string
  readonly weight: number
}
