/** Turns texts into vectors of length one whose dot product says how near they are in meaning. May be in another thread, or far away. */
export interface Embedder extends AsyncDisposable {
  /** What its vectors are kept under: another model has another name. */
  readonly model: string
  /** How many texts it likes to get at a time. */
  readonly batch: number
  /** Somebody else's: down and back again at any time. Who fails a query must answer a trial before it gets another. */
  readonly isRemote?: true
  /** One vector a text. Rejects when the model cannot be loaded, reached or used, or when `signal` aborts. */
  embed(texts: readonly string[], signal?: AbortSignal): Promise<readonly Float32Array[]>
}
