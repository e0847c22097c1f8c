import type { Endpoint } from './endpoint.ts'
import { getLogLevel } from './routes/admin/get-log-level.ts'
import { rotateSecrets } from './routes/admin/rotate-secrets.ts'
import { setLogLevel } from './routes/admin/set-log-level.ts'
import { listBreakers } from './routes/circuit-breakers/list.ts'
import { resetBreaker } from './routes/circuit-breakers/reset.ts'
import { removeCached } from './routes/cache/remove.ts'
import { getCacheStats } from './routes/cache/stats.ts'
import { getExecution } from './routes/executions/get.ts'
import { exportAudit } from './routes/audit/export.ts'
import { listAudit } from './routes/audit/list.ts'
import { verifyAudit } from './routes/audit/verify.ts'
import { listExecutions } from './routes/executions/list.ts'
import { getDetailedHealth } from './routes/health/detailed.ts'
import { getLiveness } from './routes/health/live.ts'
import { getHealth } from './routes/health/overview.ts'
import { getReadiness } from './routes/health/ready.ts'
import { getNamespace } from './routes/namespaces/get.ts'
import { listNamespaces } from './routes/namespaces/list.ts'
import { registerNamespace } from './routes/namespaces/register.ts'
import { removeNamespace } from './routes/namespaces/remove.ts'
import { replaceNamespace } from './routes/namespaces/replace.ts'
import { getJwks } from './routes/root/jwks.ts'
import { getMetrics } from './routes/root/metrics.ts'
import { createApiKey } from './routes/api-keys/create.ts'
import { listApiKeys } from './routes/api-keys/list.ts'
import { revokeApiKey } from './routes/api-keys/revoke.ts'
import { login } from './routes/auth/login.ts'
import { logout } from './routes/auth/logout.ts'
import { getMe } from './routes/auth/me.ts'
import { getPermissions } from './routes/auth/permissions.ts'
import { refreshLogin } from './routes/auth/refresh.ts'
import { endSession } from './routes/session/end.ts'
import { getSession } from './routes/session/get.ts'
import { openSession } from './routes/session/open.ts'
import { changeUser } from './routes/users/change.ts'
import { getUser } from './routes/users/get.ts'
import { listUsers } from './routes/users/list.ts'
import { listLogins } from './routes/users/logins.ts'
import { registerUser } from './routes/users/register.ts'
import { removeUser } from './routes/users/remove.ts'
import { createRole } from './routes/roles/create.ts'
import { explainPolicy } from './routes/roles/explain.ts'
import { getRole } from './routes/roles/get.ts'
import { listRoles } from './routes/roles/list.ts'
import { removeRole } from './routes/roles/remove.ts'
import { replaceRole } from './routes/roles/replace.ts'
import { getOpenApi } from './routes/root/open-api.ts'
import { getWelcome } from './routes/root/welcome.ts'
import { listSearches } from './routes/searches/list.ts'
import { forgetLessons, listLessons } from './routes/searches/lessons.ts'
import { getSearchStats } from './routes/searches/stats.ts'
import { changeServer } from './routes/servers/change.ts'
import { discoverServers } from './routes/servers/discover.ts'
import { getServer } from './routes/servers/get.ts'
import { listServers } from './routes/servers/list.ts'
import { getServerLogs } from './routes/servers/logs.ts'
import { registerServer } from './routes/servers/register.ts'
import { removeServer } from './routes/servers/remove.ts'
import { replaceServer } from './routes/servers/replace.ts'
import { restartServer } from './routes/servers/restart.ts'
import { getServerStats } from './routes/servers/stats.ts'
import { getTokens } from './routes/tokens/get.ts'
import { changeTool } from './routes/tools/change.ts'
import { executeTool } from './routes/tools/execute.ts'
import { getOneTool } from './routes/tools/get.ts'
import { listTools } from './routes/tools/list.ts'
import { registerTool } from './routes/tools/register.ts'
import { removeTool } from './routes/tools/remove.ts'
import { searchTools, searchToolsByQuery } from './routes/tools/search.ts'
import { getToolStats } from './routes/tools/stats.ts'

/** Every endpoint there is. */
// prettier-ignore
export const ENDPOINTS: readonly Endpoint[] = [
  // tools
  listTools,      registerTool,
  getOneTool,     changeTool,       removeTool,
  executeTool,    getToolStats,
  searchTools,    searchToolsByQuery,
  // history
  listExecutions, getExecution,
  listSearches,   getSearchStats,
  listLessons,    forgetLessons,
  // who did what
  listAudit,      verifyAudit,      exportAudit,
  // MCP servers
  listServers,    registerServer,   discoverServers,
  getServer,      replaceServer,    changeServer,     removeServer,
  restartServer,  getServerLogs,    getServerStats,
  // namespaces
  listNamespaces, registerNamespace,
  getNamespace,   replaceNamespace, removeNamespace,
  getTokens,
  // people and programs
  login,          refreshLogin,     logout,           getMe,            getPermissions,
  openSession,    getSession,       endSession,
  listUsers,      registerUser,     getUser,          changeUser,       removeUser,
  listLogins,     listApiKeys,      createApiKey,     revokeApiKey,
  // roles
  listRoles,      createRole,       getRole,          replaceRole,      removeRole,
  explainPolicy,
  // results that are given again
  getCacheStats,  removeCached,
  // operation
  getHealth,      getLiveness,      getReadiness,     getDetailedHealth,
  getLogLevel,    setLogLevel,      rotateSecrets,
  listBreakers,   resetBreaker,
  getWelcome,     getOpenApi,       getMetrics,       getJwks,
]
