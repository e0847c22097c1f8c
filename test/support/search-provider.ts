import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { startBackend, type RecordingBackend, type Seen } from './recording-backend.ts'

export const EMBEDDINGS = '/v1/embeddings'
export const RERANK = '/rerank'

/** A service for search on loopback that notes what it was asked; `broken` answers instead of it as long as it is set. */
export interface SearchProvider extends AsyncDisposable {
  readonly url: string
  readonly seen: readonly Seen[]
  broken: ((response: ServerResponse, seen: Seen) => void) | undefined
  /** What it was asked to embed, in order. */
  asked(): string[]
}

/** Undefined for what it does not take. */
type Answers = Readonly<Record<string, (body: never) => unknown>>

async function startProvider(answers: Answers): Promise<SearchProvider> {
  const backend: RecordingBackend = await startBackend()
  const provider: SearchProvider = {
    url: backend.url,
    seen: backend.seen,
    broken: undefined,
    asked: () => backend.seen.flatMap(({ body }) => (JSON.parse(body) as { input?: string[] }).input ?? []),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  }
  for (const [path, answer] of Object.entries(answers)) {
    backend.on(path, (response, seen) => {
      if (provider.broken) return provider.broken(response, seen)
      const body = answer(JSON.parse(seen.body) as never)
      json(response, body ?? { message: 'unknown field' }, body === undefined ? 422 : 200)
    })
  }
  return provider
}

/** Words are directions: texts that share words are near each other. The vectors come last first. */
export function startEmbeddings(dimensions = 64): Promise<SearchProvider> {
  const vectorOf = (text: string): number[] => {
    const vector = Array.from({ length: dimensions }, () => 0.01)
    for (const word of text.toLowerCase().match(/\w+/g) ?? []) {
      const at = createHash('sha256').update(word).digest().readUInt32BE() % dimensions
      vector[at] = (vector[at] ?? 0) + 3
    }
    return vector
  }
  return startProvider({
    [EMBEDDINGS]: ({ input }: { input: string[] }) => ({
      data: input.map((text, index) => ({ index, embedding: vectorOf(text) })).toReversed(),
    }),
  })
}

/** What each takes and nothing else, as Cohere (`documents`) and TEI (`texts`) do. */
const MEMBERS = { documents: ['model', 'query', 'documents'], texts: ['query', 'texts', 'truncate'] }

/** Judges by what the texts hold. */
export function startReranker(
  dialect: 'documents' | 'texts',
  judge: (text: string) => number,
): Promise<SearchProvider> {
  return startProvider({
    [RERANK]: (body: Record<string, unknown>) => {
      if (Object.keys(body).some((key) => !MEMBERS[dialect].includes(key))) return undefined
      const judged = (body[dialect] as string[]).map((text, index) => ({ index, judgement: judge(text) }))
      const best = judged.toSorted((a, b) => b.judgement - a.judgement)
      if (dialect === 'texts') return best.map(({ index, judgement }) => ({ index, score: judgement }))
      return { results: best.map(({ index, judgement }) => ({ index, relevance_score: judgement })) }
    },
  })
}

export function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
