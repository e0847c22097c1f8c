import { messageOf, type AppError } from '#kernel/errors'
import { isJsonObject, type JsonObject, type JsonValue } from '#kernel/json'
import type { Logger } from '#kernel/logger'
import { askProvider, failure, isRefusedContent, type Provider, type ProviderSettings } from './provider.ts'

const LIMIT_MS = 1500
const ANSWER_BYTES_MAX = 1024 * 1024
const ASKED_MAX = 8
/** Who fails so often in a row is left alone for a while: a search must not wait in vain each time. */
const FAILURES_MAX = 3
const REST_MS = 5_000
const NAME = 'The reranker'

/** Judges how well texts answer a query: slower than vectors, and better, as it reads both together. */
export interface Reranker {
  /** One judgement a text, on a scale of its own; undefined when it cannot say, or not in time. */
  judge(query: string, texts: readonly string[]): Promise<readonly number[] | undefined>
  /** Why it did not say anything to the last query. */
  failure(): string | undefined
}

export interface RerankerDeps {
  readonly settings: ProviderSettings
  readonly log: Logger
  /** Epoch milliseconds. */
  now(): number
}

/** A cross-encoder behind `/rerank`: TEI, Cohere, Jina, Voyage, vLLM, llama.cpp. */
export function createReranker({ settings, log, now }: RerankerDeps): Reranker {
  const ask = createAsking(settings)
  let asking = 0
  let failures = 0
  let restsUntil = 0
  let failed: string | undefined
  const fail = (thrown: unknown): void => {
    failures += 1
    if (failures >= FAILURES_MAX) restsUntil = now() + REST_MS
    const error = messageOf(thrown)
    if (error !== failed) log.warn({ error }, 'searches are not reranked')
    failed = error
  }
  return {
    failure: () => failed,
    async judge(query, texts) {
      if (asking >= ASKED_MAX || now() < restsUntil) return undefined
      asking += 1
      try {
        const judgements = await ask(query, texts)
        if (failed !== undefined) log.info({}, 'searches are reranked again')
        failures = 0
        failed = undefined
        return judgements
      } catch (thrown) {
        fail(thrown)
        return undefined
      } finally {
        asking -= 1
      }
    },
  }
}

type Dialect = 'documents' | 'texts'

/**
 * Cohere and Voyage refuse members that they do not know, `top_n` and `texts` among them; TEI refuses a body without `texts`.
 * So it is the least that is sent: `documents`, and when that is refused as a bad request, `texts`. What was taken goes
 * first from then on.
 */
function createAsking({ url, model, key }: ProviderSettings) {
  const limits = { limitMs: LIMIT_MS, answerBytesMax: ANSWER_BYTES_MAX }
  const provider: Provider = { name: NAME, url: rerankAddress(url), key, isQuoted: false, ...limits }
  let dialect: Dialect = 'documents'
  const bodyOf = (spoken: Dialect, query: string, texts: readonly string[]): object => {
    const question = { ...(model === undefined ? {} : { model }), query }
    // TEI refuses texts that are too long unless it may cut them; the others cut.
    return spoken === 'documents' ? { ...question, documents: texts } : { ...question, texts, truncate: true }
  }
  return async function ask(query: string, texts: readonly string[]): Promise<readonly number[]> {
    const patience = AbortSignal.timeout(LIMIT_MS)
    const askIn = async (spoken: Dialect): Promise<readonly number[]> => {
      const judgements = judgementsOf(await askProvider(provider, bodyOf(spoken, query, texts), patience), texts.length)
      dialect = spoken
      return judgements
    }
    try {
      return await askIn(dialect)
    } catch (thrown) {
      if (patience.aborted) throw failure(provider, `did not answer within ${LIMIT_MS} ms`)
      if (!isRefusedContent(thrown)) throw thrown
      return await askIn(dialect === 'documents' ? 'texts' : 'documents').catch(() => {
        throw thrown
      })
    }
  }
}

/** `…/rerank` is taken as it is; else it is what follows. */
function rerankAddress(base: string): string {
  const url = new URL(base)
  const path = url.pathname.replace(/\/+$/, '')
  if (!path.endsWith('/rerank')) url.pathname = `${path}/rerank`
  return url.href
}

/** `{results: […]}` (Cohere, Jina), `{data: […]}` (Voyage) or the list alone (TEI), in any order. */
function judgementsOf(answer: JsonValue, count: number): readonly number[] {
  const list = isJsonObject(answer) ? (answer['results'] ?? answer['data']) : answer
  if (!Array.isArray(list)) throw wrong('answered without a list of results')
  if (list.length !== count) throw wrong(`judged ${list.length} of ${count} texts`)
  const judgements: number[] = Array.from({ length: count })
  for (const item of list as JsonValue[]) {
    const { index, judgement } = readJudgement(item)
    if (judgements[index] !== undefined || index < 0 || index >= count)
      throw wrong('judged a text that is none of ours')
    judgements[index] = judgement
  }
  return judgements
}

function readJudgement(item: JsonValue): { readonly index: number; readonly judgement: number } {
  const result: JsonObject = isJsonObject(item) ? item : {}
  const { index, relevance_score: relevance, score } = result
  const judgement = relevance ?? score
  if (typeof index !== 'number' || !Number.isInteger(index)) throw wrong('does not say which text it judged')
  if (typeof judgement !== 'number' || !Number.isFinite(judgement)) throw wrong('gave a judgement that is no number')
  return { index, judgement }
}

function wrong(what: string): AppError {
  return failure({ name: NAME }, what)
}
