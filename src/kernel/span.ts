import { toAppError, type AppError } from './errors.ts'

/** What a span says of itself: words and numbers of ours, never arguments or results. */
export type SpanFacts = Readonly<Record<string, string | number | boolean>>

/** One timed part of a call that is traced. Most calls are not, and have none. */
export interface Span {
  /** W3C Trace Context that names this span as the parent. */
  readonly traceparent: string
  /** A part of this part; `client` when it asks somebody else. */
  child(name: string, kind: 'internal' | 'client', facts?: SpanFacts): Span
  end(failure?: AppError): void
}

/** The call that a trace is made of. */
export interface TracedCall {
  readonly id: string
  readonly traceId: string
  readonly traceparent: string | undefined
  readonly surface: string
  readonly method: string
  readonly name: string
  readonly principal: { readonly id: string }
}

/** Decides at the beginning of a call whether it is traced. */
export interface Tracer {
  begin(call: TracedCall): Span | undefined
}

/** The same work; the span ends with it. */
export function endingWith<T>(span: Span, work: Promise<T>): Promise<T> {
  return work.then(
    (result) => {
      span.end()
      return result
    },
    (error: unknown) => {
      span.end(toAppError(error))
      throw error
    },
  )
}
