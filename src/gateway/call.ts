import type { Cancellation, CancelSignal } from '#kernel/cancellation'
import type { JsonObject } from '#kernel/json'
import type { Principal } from '#identity/principal'
import type { Listed } from '#kernel/roster'
import type { AppError } from '#kernel/errors'
import type { Span } from '#kernel/span'
import type { BreakerChange, CacheRule, Era } from '#registry/records'

export type CallKind = 'tool' | 'resource' | 'prompt' | 'completion'

/** A server's question to the client in the middle of a call: sampling, elicitation or roots. */
export interface Question {
  readonly method: string
  readonly paramsText: string
  /** Aborted when the upstream no longer wants the answer. */
  readonly signal: CancelSignal
}

/** The client's answer: the raw text of its result, or of its JSON-RPC error. */
export type Answer = { readonly resultText: string } | { readonly errorText: string }

/** What a client said it can do; upstreams are told no more than this on its behalf. */
interface ClientProfile {
  readonly capabilities: JsonObject
  /** Raw text of clientInfo, when the client gave one. */
  readonly infoText?: string
}

/**
 * The side of a call that faces the client. Surfaces implement it; upstream sessions use it.
 * A surface that cannot do a thing leaves the function away.
 */
export interface Caller {
  /**
   * Who holds an upstream session while the call runs: equal keys may share one.
   * Callers that nobody can ask anything have the key of the crowd.
   */
  readonly sessionKey: string
  readonly profile: ClientProfile
  /** Puts a question to this client and nobody else. Rejects with `missing_capability` where the client has not declared it. */
  readonly ask?: ((question: Question) => Promise<Answer>) | undefined
  /** Told instead of `ask` when the server asked for something that this client can never give. */
  lacks?(method: string): void
  /**
   * A stateless client takes an `input_required` result as it is and comes back with the answers;
   * without this the questions go through `ask`.
   */
  readonly takesInputRequired?: boolean
  /** Relays a notification that belongs to this call, in order, before its result. */
  notify?(method: string, paramsText: string): void
  /** Raw text of the client's progress token, when it wants progress. */
  readonly progressTokenText?: string | undefined
  /** The least severe level of log messages that the client wants; undefined for none. */
  readonly logLevel?: string | undefined
  /** Headers `Mcp-Param-*` of a modern client, passed on unchanged. */
  readonly paramHeaders?: Readonly<Record<string, string>>
}

/** One request on its way to an upstream. */
export interface Call extends Listed {
  /** The execution's id, a UUIDv7. */
  readonly id: string
  readonly traceId: string
  /** Of the HTTP request that the call came in, where the surface tells it: to find the call in the log. */
  readonly requestId?: string
  /** W3C traceparent of the caller, when it sent one. */
  readonly traceparent: string | undefined
  readonly surface: 'mcp' | 'rest'
  readonly kind: CallKind
  readonly method: string
  /** Exposed name, or URI. */
  readonly name: string
  readonly namespace: string | undefined
  readonly principal: Principal
  /** The raw params as the client sent them, ours (name, tokens) not yet replaced. */
  readonly paramsText: string
  /** The parsed params, read-only: for validation and policy, never serialised again. */
  readonly params: JsonObject
  readonly caller: Caller
  /** Ends the call: the surface when the client cancels or goes away in an era where that cancels, a link that has had enough. */
  readonly signal: Cancellation
  /** Epoch milliseconds. */
  readonly startedAt: number
  /** What the links noted on the way; the history keeps it. */
  readonly notes: CallNotes
  /** Where it goes: the gateway finds out. */
  target: Target | undefined
  /** The part of its trace that it is in; undefined for a call that is not traced. */
  span: Span | undefined
}

interface CallNotes {
  server: string
  /** The links the call came to and the milliseconds since its start, in turn: flat, because every call makes one. */
  readonly stages: (string | number)[]
  /** How often the call was handed to its upstream. */
  attempts: number
  /** The tool that was called instead. */
  fallback?: string
  /** How old the answer was, where it was not got for this call. */
  cached: CachedMark | undefined
  /** Of the arguments what the operator's rules let through as it came, null where they refused; absent where no rule looked. */
  passed?: JsonObject | null
  /** Whose result it is, where that is another tool's. */
  fallbackTool?: RoutedTool
}

/** An answer that was got for another call. */
interface CachedMark {
  readonly ageMs: number
  /** Its time was over. */
  readonly isStale: boolean
}

/** Where a call goes. */
export interface Target {
  readonly upstreamId: string
  /** Name of the upstream. */
  readonly server: string
  /** The upstream's own name for the tool or prompt; the URI for a resource. */
  readonly originalName: string
  readonly timeoutMs: number
  readonly maxConcurrency: number
  /** Where its breaker differs from the settings. */
  readonly breaker?: BreakerChange | undefined
  /** How often a call is tried at most, where that differs from the settings. */
  readonly attempts?: number | undefined
  readonly tool?: RoutedTool
  /** Absent where nothing may be kept: then the call pays nothing for the cache. */
  readonly cache?: TargetCache | undefined
}

/** How results from here are kept. */
export interface TargetCache {
  readonly rule: CacheRule
  /** Changes with all that could change a result: where the tool leads, and how it is defined. */
  readonly revision: string
}

/** What links need to know of the tool that is called. */
export interface RoutedTool {
  readonly kind: 'mcp' | 'http'
  readonly exposedName: string
  readonly definition: JsonObject
  readonly inputSchemaText?: string
  readonly readOnly: boolean
  readonly idempotent: boolean
  /** It has a breaker of its own instead of that of its upstream. */
  readonly hasOwnBreaker: boolean
  /** Exposed name of the tool that is called when this one cannot. */
  readonly fallback?: string | undefined
}

/** A routed call: what the links below the route see. */
export interface RoutedCall extends Call {
  target: Target
}

/** An upstream's answer, its text as it came. */
export interface CallResult {
  /** Raw text of the `result` member. */
  readonly text: string
  /** Read-only view of the same. */
  readonly value: JsonObject
  readonly server: string
  /** Which era's members (`resultType`, caching hints) the text may have. Only surfaces and upstream sessions look at it. */
  readonly era: Era
  /** Raw text of the upstream's serverInfo, when it told. */
  readonly serverInfoText?: string | undefined
  /** HTTP status of a plain HTTP API. */
  readonly status?: number
  /** Seconds that it asks to wait, where it has no time now. */
  readonly retryAfter?: number
  /** The tool that was called instead; the text says so too. */
  readonly fallback?: string
  /** Says that it was got for another call; surfaces show it. */
  readonly cached?: CachedMark | undefined
}

/** A tool's own failure. */
export function isToolError(result: CallResult): boolean {
  return result.value['isError'] === true
}

/** The last step of the path: hands the call to the upstream. */
export type Dispatch = (call: RoutedCall) => Promise<CallResult>

/** One link: may answer itself, change the call, or run `next` zero, one or many times. */
export type Interceptor = (call: RoutedCall, next: Dispatch) => Promise<CallResult>

/**
 * Hears how a call came out, refusals included, and cannot change it. The caller gets the outcome when what it returns has
 * resolved.
 */
export type Observer = (call: Call, outcome: CallResult | AppError) => Promise<void> | void
