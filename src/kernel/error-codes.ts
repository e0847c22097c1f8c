/** One row an error that a caller can meet: where it shows and whether trying again can help. */
interface ErrorRow {
  readonly status: number
  /** JSON-RPC code. The gateway's own failures lie outside the range that JSON-RPC reserves (-32768…-32000). */
  readonly rpcCode: number
  readonly retryable: boolean
  readonly meaning: string
}

const row = (status: number, rpcCode: number, retryable: boolean, meaning: string): ErrorRow => ({
  status,
  rpcCode,
  retryable,
  meaning,
})

/** The catalogue of errors. `docs/reference/errors.md` lists the same codes; a test compares the two. */
export const ERROR_CODES = {
  parse_error: row(400, -32700, false, 'The body is not JSON.'),
  invalid_request: row(400, -32600, false, 'The message is JSON but no request that this endpoint understands.'),
  method_not_found: row(404, -32601, false, 'The method does not exist, or not in this protocol era.'),
  validation_error: row(422, -32602, false, 'A parameter is missing, unknown, or has the wrong type or value.'),
  authentication_error: row(401, -31401, false, 'The caller did not prove who it is.'),
  forbidden: row(403, -31403, false, 'Host, Origin or address is not one that this gateway accepts.'),
  permission_denied: row(403, -31403, false, 'The caller may not do this.'),
  not_found: row(404, -31404, false, 'The thing named in the address does not exist.'),
  method_not_allowed: row(405, -31405, false, 'The address exists but does not take this HTTP method.'),
  not_acceptable: row(406, -31406, false, 'The Accept header leaves no media type to answer with.'),
  request_timeout: row(408, -31408, true, 'The request did not come to its end in time.'),
  conflict: row(409, -31409, false, 'A thing of that name exists already, or changed meanwhile.'),
  payload_too_large: row(413, -31413, false, 'The body is larger than the gateway accepts.'),
  unsupported_media_type: row(415, -31415, false, 'The Content-Type is not application/json.'),
  headers_too_large: row(431, -31431, false, 'The headers of the request are too large.'),
  tool_not_found: row(404, -32602, false, 'No tool has this name.'),
  prompt_not_found: row(404, -32602, false, 'No prompt has this name.'),
  resource_not_found: row(404, -32602, false, 'No resource has this URI.'),
  session_not_found: row(404, -31440, true, 'The session is unknown, ended or expired; initialize again.'),
  tool_execution_error: row(502, -31502, false, 'The tool or its server answered with an error.'),
  upstream_unavailable: row(502, -31503, true, 'The server behind the tool cannot be reached.'),
  upstream_protocol_error: row(502, -31504, false, 'The server behind the tool broke the protocol.'),
  upstream_session_lost: row(502, -31505, true, 'The server lost its session while the call ran.'),
  missing_capability: row(422, -32021, false, 'The tool needs a client capability that the caller did not declare.'),
  policy_violation: row(403, -31407, false, 'An operator rule refuses this call.'),
  search_error: row(500, -31507, true, 'The search failed.'),
  circuit_breaker_open: row(503, -31508, true, 'The server behind the tool failed too often and rests.'),
  overloaded: row(503, -31509, true, 'Too many calls wait for this server, or there is no room for one more session.'),
  unavailable: row(503, -31510, true, 'The gateway is starting, draining, or its storage is down.'),
  timeout: row(504, -31511, true, 'The call did not finish in its time.'),
  cancelled: row(499, -31512, false, 'The caller gave up.'),
  rate_limited: row(429, -31429, true, 'Too many requests.'),
  internal_error: row(500, -32603, false, 'A fault of the gateway; the log has the details under the request id.'),
} as const satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof ERROR_CODES
