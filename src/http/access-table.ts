import { createPolicy } from '#policy/policy'
import { BUILT_IN_ROLES } from '#policy/roles'
import type { Endpoint } from './endpoint.ts'
import { routeName } from './serve-endpoint.ts'

/** Which role may use which route, as the documentation shows it. */
export function accessTable(endpoints: readonly Endpoint[]): string {
  const policy = createPolicy(BUILT_IN_ROLES)
  const roles = BUILT_IN_ROLES.map(({ name }) => name)
  const rows = endpoints.map(({ method, path, access }) => {
    const may = roles.map((role) => {
      const isAllowed = access === 'public' || access === 'self' || policy.decide({ roles: [role] }, access).allowed
      return isAllowed ? 'yes' : '–'
    })
    return [`\`${routeName({ method, path })}\``, access, ...may]
  })
  return aligned([['route', 'needs', ...roles], ...rows])
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}
