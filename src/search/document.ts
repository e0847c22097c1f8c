/** What search knows of one tool. */
export interface SearchDocument {
  readonly server: string
  /** The server's own title and description, where it has any. */
  readonly serverText: string
  readonly name: string
  readonly description: string
  readonly parameterNames: readonly string[]
  readonly parameterTexts: readonly string[]
}
