import { AppError } from '#kernel/errors'
import { isJsonObject, type JsonObject, type JsonValue } from '#kernel/json'
import type { Embedder } from './embedder.ts'
import { askProvider, failure, type Provider, type ProviderSettings } from './provider.ts'

/** What TEI takes at a time unless it is told otherwise. */
const BATCH = 32
const LIMIT_MS = 30_000
/** 32 vectors of 4,096 numbers are 3 MB of text. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024
const DIMENSIONS_MAX = 16_384
const NAME = 'The embeddings provider'

export interface RemoteModel extends ProviderSettings {
  readonly model: string
}

/** A model behind an OpenAI-compatible `/v1/embeddings`: Ollama, TEI, vLLM, OpenAI and others. Nothing of an answer is believed unchecked. */
export function createRemoteEmbedder({ url, model, key }: RemoteModel): Embedder {
  const ending = new AbortController()
  const provider: Provider = {
    name: NAME,
    url: embeddingsAddress(url),
    key,
    isQuoted: true,
    limitMs: LIMIT_MS,
    answerBytesMax: ANSWER_BYTES_MAX,
  }
  return {
    model: `remote:${model}@${new URL(url).host}`,
    batch: BATCH,
    isRemote: true,
    async embed(texts, signal) {
      const until = signal ? AbortSignal.any([signal, ending.signal]) : ending.signal
      // No further member: some providers refuse what they do not know.
      return vectorsOf(await askProvider(provider, { model, input: texts }, until), texts.length)
    },
    async [Symbol.asyncDispose]() {
      ending.abort(new AppError('unavailable', 'The search has ended'))
    },
  }
}

/** `…/embeddings` is taken as it is; a base may end with its version (`…/v1`) or lack it. */
function embeddingsAddress(base: string): string {
  const url = new URL(base)
  const path = url.pathname.replace(/\/+$/, '')
  if (path.endsWith('/embeddings')) return url.href
  url.pathname = /\/v\d\w*$/.test(path) ? `${path}/embeddings` : `${path}/v1/embeddings`
  return url.href
}

function vectorsOf(answer: JsonValue, count: number): readonly Float32Array[] {
  const data = isJsonObject(answer) ? answer['data'] : undefined
  if (!Array.isArray(data)) throw wrong('answered without a list of vectors')
  if (data.length !== count) throw wrong(`gave ${data.length} vectors for ${count} texts`)
  const vectors: Float32Array[] = Array.from({ length: count })
  for (const [at, item] of (data as JsonValue[]).entries()) {
    const place = isJsonObject(item) ? placeOf(item, at) : -1
    if (vectors[place] !== undefined || place < 0 || place >= count) throw wrong('gave a vector for no text of ours')
    vectors[place] = vectorOf(isJsonObject(item) ? item['embedding'] : undefined)
  }
  const dimensions = new Set(vectors.map(({ length }) => length))
  if (dimensions.size > 1) throw wrong(`gave vectors of different lengths (${[...dimensions].join(', ')})`)
  return vectors
}

/** Vectors come in any order and say which text they are of; one without a word stands where its text stood. */
function placeOf({ index }: JsonObject, at: number): number {
  if (index === undefined) return at
  return Number.isInteger(index) ? Number(index) : -1
}

function vectorOf(numbers: JsonValue | undefined): Float32Array {
  if (!Array.isArray(numbers) || numbers.length === 0) throw wrong('gave a vector that is no list of numbers')
  if (numbers.length > DIMENSIONS_MAX) throw wrong(`gave a vector of more than ${DIMENSIONS_MAX} numbers`)
  let squares = 0
  for (const value of numbers as JsonValue[]) {
    if (typeof value !== 'number') throw wrong('gave a vector that holds something else than numbers')
    squares += value * value
  }
  const length = Math.sqrt(squares)
  if (!Number.isFinite(length) || length === 0) throw wrong('gave a vector without a direction')
  return Float32Array.from(numbers as number[], (value) => value / length)
}

function wrong(what: string): AppError {
  return failure({ name: NAME }, what)
}
