const BYTES_A_TOKEN = 4

/**
 * What texts cost the context of a model, by the documented counter: their bytes of UTF-8 by 4, rounded up. Tokenizers
 * differ by model; this one is the same everywhere and good enough to compare with itself.
 */
export function tokensOf(texts: readonly string[]): number {
  return Math.ceil(texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0) / BYTES_A_TOKEN)
}
