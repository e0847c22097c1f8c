/** One checkable claim about the program. A test that proves it writes the id into its name or a comment. */
export interface Requirement {
  readonly id: string
  readonly text: string
  /** `this issue`: some test must cite it. `later`: the part it speaks of is still to come. */
  readonly owner: 'this issue' | 'later'
}

type Row = readonly [id: string, text: string, owner: Requirement['owner']]

const NOW = 'this issue'
const LATER = 'later'

// prettier-ignore
const ROWS: readonly Row[] = [
  // Overview and diagram
  ['R001', 'unified interface for tools across multiple MCP servers', NOW],
  ['R002', 'discover', NOW],
  ['R003', 'register', NOW],
  ['R004', 'execute', NOW],
  ['R005', 'robust error handling', NOW],
  ['R010', 'client app: CLI (login and search come later)', NOW],
  ['R011', 'client app: Web', LATER],
  ['R012', 'Admin UI', LATER],
  ['R013', 'Admin UI and API Gateway both drive the same Core', LATER],
  ['R014', 'API Gateway', NOW],
  ['R015', 'Core = services layer + utils layer', LATER],
  ['R016', 'Data layer: Redis cache', NOW],
  ['R017', 'Data layer: memory storage', NOW],
  ['R018', 'MCP servers: database tools and API tools', NOW],

  // API endpoints
  ['R020', 'router factory registers all endpoint groups (its own routes)', NOW],
  ['R030', 'POST auth/login', NOW],
  ['R031', 'POST auth/logout', NOW],
  ['R032', 'POST auth/refresh', NOW],
  ['R033', 'GET auth/me', NOW],
  ['R034', 'GET auth/permissions', NOW],
  ['R035', 'GET tools/', NOW],
  ['R036', 'GET tools/{name}', NOW],
  ['R037', 'POST tools/{name}/execute', NOW],
  ['R038', 'tools/search', NOW],
  ['R039', 'GET health/', NOW],
  ['R040', 'GET health/detailed', NOW],
  ['R041', 'GET health/ready', NOW],
  ['R042', 'GET health/live', NOW],
  ['R043', 'GET proxy/servers', NOW],
  ['R044', 'GET proxy/servers/{id}', NOW],
  ['R045', '(implied) POST/PUT/DELETE tools; POST/DELETE proxy/servers', NOW],

  // Services
  ['R050', 'ToolService: registration and management', NOW],
  ['R051', 'execution with HTTP calls', NOW],
  ['R052', 'tool search and discovery', NOW],
  ['R053', 'execution history tracking', NOW],
  ['R054', 'tool statistics and metrics', NOW],
  ['R060', 'AuthService authn+authz', NOW],
  ['R061', 'JWT management', NOW],
  ['R062', 'permission checking', NOW],
  ['R063', 'user management CRUD', NOW],
  ['R064', 'login history', NOW],
  ['R070', 'SearchService: semantic', NOW],
  ['R071', 'keyword', NOW],
  ['R072', 'hybrid', NOW],
  ['R073', 'search metrics and statistics', NOW],
  ['R074', 'search history', NOW],

  // Utilities
  ['R080', 'breaker CLOSED/OPEN/HALF_OPEN', NOW],
  ['R081', 'failure threshold management', NOW],
  ['R082', 'automatic recovery', NOW],
  ['R083', 'manager for central monitoring', NOW],
  ['R084', 'decorator', NOW],
  ['R090', 'cache backends memory + Redis', NOW],
  ['R091', 'TTL and eviction', NOW],
  ['R092', 'cache decorator', NOW],
  ['R093', 'invalidation strategies', NOW],
  ['R094', 'cache statistics', NOW],
  ['R100', 'structured logging', NOW],
  ['R101', 'level management', NOW],
  ['R102', 'format and output', NOW],
  ['R103', 'performance logging', NOW],

  // MCP, proxy, data flows
  ['R110', 'MCP server implementation', NOW],
  ['R111', 'vector search', NOW],
  ['R112', 'tool discovery and registration', NOW],
  ['R113', 'protocol message handling', NOW],
  ['R120', 'proxy manager', NOW],
  ['R121', 'wrapper', NOW],
  ['R122', 'interceptor', NOW],
  ['R123', 'discovery mechanisms', NOW],
  ['R130', 'registration flow', NOW],
  ['R131', 'execution flow through breaker and HTTP client to MCP server', NOW],
  ['R132', 'authentication flow JWT → permission → response', NOW],
  ['R133', 'search flow SearchService → vector → cache', NOW],

  // Security
  ['R140', 'JWT auth', NOW],
  ['R141', 'refresh mechanism', NOW],
  ['R142', 'blacklist on logout', NOW],
  ['R143', 'bcrypt', NOW],
  ['R150', 'RBAC', NOW],
  ['R151', 'permission-based', NOW],
  ['R152', 'resource-level permissions', NOW],
  ['R153', 'admin vs user separation', NOW],
  ['R160', 'input validation and sanitisation', NOW],
  ['R161', 'SQL-injection prevention', NOW],
  ['R162', 'XSS protection', LATER],
  ['R163', 'CSRF protection', NOW],
  ['R164', 'rate limiting (planned)', NOW],

  // Performance, health, errors
  ['R170', 'memory cache', NOW],
  ['R171', 'Redis cache', NOW],
  ['R172', 'decorators cache function results', NOW],
  ['R173', 'TTL management', NOW],
  ['R174', 'failure detection', NOW],
  ['R175', 'recovery', NOW],
  ['R176', 'fallback / graceful degradation', NOW],
  ['R177', 'real-time breaker statistics', NOW],
  ['R178', 'uptime', NOW],
  ['R179', 'component health', NOW],
  ['R180', 'readiness probe', NOW],
  ['R181', 'liveness probe', NOW],
  ['R190', 'exception hierarchy of 6 named errors', NOW],
  ['R191', 'error format error/message/details/timestamp', NOW],

  // Configuration
  ['R200', 'META_MCP_HOST=0.0.0.0', NOW],
  ['R201', 'META_MCP_PORT=8000', NOW],
  ['R202', 'META_MCP_DEBUG=false', NOW],
  ['R203', 'META_MCP_SECRET_KEY', NOW],
  ['R204', 'META_MCP_ALGORITHM=HS256', NOW],
  ['R205', 'META_MCP_ACCESS_TOKEN_EXPIRE_MINUTES=30', NOW],
  ['R206', 'META_MCP_DATABASE_URL (postgresql://…)', NOW],
  ['R207', 'META_MCP_REDIS_URL', NOW],
  ['R208', 'META_MCP_CACHE_TTL=300', NOW],
  ['R209', 'META_MCP_METRICS_ENABLED=true', NOW],
  ['R210', 'META_MCP_LOGGING_LEVEL=INFO', NOW],

  // Deployment and monitoring
  ['R220', 'multi-stage Docker build', LATER],
  ['R221', 'container health check', LATER],
  ['R222', 'resource limits', LATER],
  ['R223', 'security scanning', LATER],
  ['R230', 'Kubernetes deployment', LATER],
  ['R231', 'Kubernetes service', LATER],
  ['R232', 'Kubernetes ingress', LATER],
  ['R233', 'Kubernetes configmap and secret', LATER],
  ['R240', 'Prometheus', NOW],
  ['R241', 'Grafana', NOW],
  ['R242', 'AlertManager', NOW],
  ['R243', 'Jaeger tracing', NOW],

  // Development guidelines
  ['R250', 'modular design', NOW],
  ['R251', 'service layer holds logic', NOW],
  ['R252', 'reusable utils', NOW],
  ['R253', 'API layer only HTTP', NOW],
  ['R254', 'unit tests', NOW],
  ['R255', 'integration tests of endpoints', NOW],
  ['R256', 'performance/load tests', NOW],
  ['R257', 'security tests', NOW],
  ['R258', 'type hints', NOW],
  ['R259', 'error handling', NOW],
  ['R260', 'structured logging for debugging', NOW],
  ['R261', 'documentation of all public APIs', NOW],

  // Future list
  ['R270', 'rate limits per user and per endpoint', NOW],
  ['R271', 'API versioning strategy', LATER],
  ['R272', 'Admin UI', LATER],
  ['R273', 'OPA policy engine', LATER],
  ['R274', 'multi-tenancy', LATER],
  ['R280', 'DB pooling and query optimisation', LATER],
  ['R281', 'advanced caching', NOW],
  ['R282', 'load balancing / horizontal scaling', LATER],
  ['R283', 'microservices decomposition', LATER],
  ['R290', 'OAuth2 third-party', LATER],
  ['R291', 'MFA', LATER],
  ['R292', 'audit logging', NOW],
  ['R293', 'encryption at rest and in transit', NOW],
]

/** All of them, in the order of the chapters. Ids never change and are never given again. */
export const REQUIREMENTS: readonly Requirement[] = ROWS.map(([id, text, owner]) => ({ id, text, owner }))
