import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { AppError } from '#kernel/errors'
import type { Embedder } from './embedder.ts'

/** What the thread answers to a text. */
export type NeuralAnswer = { readonly vector: Float32Array } | { readonly error: string }

/** The same file seen from `src/` and from `dist/`. */
const WORKER = new URL(`./neural-worker${extname(import.meta.filename)}`, import.meta.url)
/** The model reads 256 pieces of words at most; no word has more characters than this on average. */
const TEXT_CHARS_MAX = 2048

interface Asked {
  readonly text: string
  readonly outcome: PromiseWithResolvers<Float32Array>
}

/**
 * all-MiniLM-L6-v2 from the package that brings its weights: 384 dimensions, no network. It loads in half a second at the
 * first text, in a thread of its own that takes some 250 MB. The thread gets one text at a time, so that nothing is computed
 * for who has gone. A thread that dies fails what it had; the next text starts another.
 */
export function createNeuralEmbedder(): Embedder {
  const queue: Asked[] = []
  let current: Asked | undefined
  let worker: Worker | undefined
  const next = (): void => {
    current = queue.shift()
    if (!current) return worker?.unref()
    worker ??= start()
    worker.ref()
    worker.postMessage(current.text.slice(0, TEXT_CHARS_MAX))
  }
  const fail = (reason: string): void => {
    worker = undefined
    current?.outcome.reject(new AppError('unavailable', `The embedding model stopped: ${reason}`))
    next()
  }
  const start = (): Worker => {
    const started = new Worker(WORKER)
    started.on('message', (answer: NeuralAnswer) => {
      if ('vector' in answer) current?.outcome.resolve(answer.vector)
      else current?.outcome.reject(new AppError('unavailable', `The embedding model failed: ${answer.error}`))
      next()
    })
    started.on('error', (error) => worker === started && fail(String(error)))
    started.on('exit', (code) => worker === started && fail(`exit code ${code}`))
    return started
  }
  const embedOne = async (text: string, signal: AbortSignal | undefined): Promise<Float32Array> => {
    signal?.throwIfAborted()
    const asked: Asked = { text, outcome: Promise.withResolvers<Float32Array>() }
    const giveUp = (): void => {
      if (queue.includes(asked)) queue.splice(queue.indexOf(asked), 1)
      asked.outcome.reject(signal?.reason)
    }
    signal?.addEventListener('abort', giveUp, { once: true })
    queue.push(asked)
    if (!current) next()
    return asked.outcome.promise.finally(() => signal?.removeEventListener('abort', giveUp))
  }
  return {
    model: 'all-MiniLM-L6-v2/fp16',
    batch: 1,
    embed: (texts, signal) => Promise.all(texts.map((text) => embedOne(text, signal))),
    async [Symbol.asyncDispose]() {
      const stopping = worker
      worker = undefined
      for (const { outcome } of queue.splice(0)) outcome.reject(new AppError('unavailable', 'The search has ended'))
      current?.outcome.reject(new AppError('unavailable', 'The search has ended'))
      await stopping?.terminate()
    },
  }
}
