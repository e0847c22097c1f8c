import type { Readable } from 'node:stream'
import type { z } from 'zod'
import type { Principal } from '#identity/principal'
import type { RateClass } from '#gateway/rate-limits'
import type { Action } from '#policy/permission'
import type { ApiDeps } from './api-deps.ts'

/** What a route demands of its caller: a permission, nothing, or only that he is known (`self`). */
type Access = Action | 'public' | 'self'

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What a handler may use: what the API stands on, and the API's own description. */
export interface ApiContext extends ApiDeps {
  /** The OpenAPI document as JSON. */
  openApiText(): string
}

/** What only the handler knows. */
export interface Told {
  /** Who it was, where a request without a credential shows that. */
  actor?: { readonly id: string; readonly username: string }
  /** What let in something that would not be let in without it. */
  rule?: string | undefined
}

/** One request, checked against the contract of its endpoint. */
export interface ApiRequest<P = unknown, Q = unknown, B = unknown> {
  readonly params: P
  readonly query: Q
  readonly body: B
  readonly principal: Principal
  /** What the principal was proved with. */
  readonly credential: string | undefined
  /** The token of a browser's session, which the credential may be. */
  readonly session: string | undefined
  /** Gives the browser a cookie. */
  setCookie(header: string): void
  readonly origin: { readonly ip: string; readonly agent: string | undefined }
  /** What the audit is told of this request beside what it sees. */
  readonly told: Told
  /** What the answer carries as `X-Request-Id`. */
  readonly requestId: string
  /** The body as it came: for what travels on to the letter. */
  readonly bodyText: string
  readonly traceparent: string | undefined
  /** Aborted when the client goes away before the answer. */
  readonly signal: AbortSignal
}

/** An answer that is text already: JSON, where it says nothing else. */
export class ReadyText {
  readonly text: string
  readonly contentType: string

  constructor(text: string, contentType = 'application/json; charset=utf-8') {
    this.text = text
    this.contentType = contentType
  }
}

/** An answer that is longer than one wants to hold. */
export class ReadyStream {
  readonly stream: Readable
  readonly contentType: string

  constructor(stream: Readable, contentType: string) {
    this.stream = stream
    this.contentType = contentType
  }
}

interface Contract<P, Q, B, A> {
  readonly method: Method
  /** With `:name` places. */
  readonly path: string
  /** Who may: the permission that the caller needs, or everybody. */
  readonly access: Access
  /** What it is counted as; without it `management`, and nothing where it is public. */
  readonly rate?: RateClass
  readonly group: string
  readonly summary: string
  readonly params?: z.ZodType<P>
  readonly query?: z.ZodType<Q>
  readonly body?: z.ZodType<B>
  /** Of the one success. */
  readonly status: number
  /** Of an answer that is no JSON. */
  readonly mediaType?: string
  readonly answer: z.ZodType<A>
}

/** An endpoint as the table holds it, its types erased. */
export interface Endpoint extends Contract<unknown, unknown, unknown, unknown> {
  handle(context: ApiContext, request: ApiRequest): unknown
}

/** Declares an endpoint: first what it takes and gives, then what it does. */
export function endpoint<A, P = undefined, Q = undefined, B = undefined>(
  declaration: Contract<P, Q, B, A> & {
    handle(context: ApiContext, request: ApiRequest<P, Q, B>): Handled<NoInfer<A>> | Promise<Handled<NoInfer<A>>>
  },
): Endpoint {
  return declaration
}

type Handled<A> = A | ReadyText | ReadyStream
