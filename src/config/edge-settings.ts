import { isIP } from 'node:net'
import type { EdgeConfig } from './config.ts'
import type { Need } from './needs.ts'
import type { Problem } from './problems.ts'
import type { SettingKey, SettingValues } from './settings.ts'

export const TLS_NEEDS: readonly Need[] = [
  ['tls_cert_file', 'tls_key_file'],
  ['tls_key_file', 'tls_cert_file'],
  ['tls_client_ca_file', 'tls_cert_file'],
]

/** Whether only this machine can reach what listens there. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

export function edgeConfig(values: SettingValues): EdgeConfig {
  const { tls_cert_file: certFile, tls_key_file: keyFile, tls_client_ca_file: clientCaFile } = values
  const hasTls = certFile !== undefined && keyFile !== undefined
  return {
    isLoopbackOnly: isLoopback(values.host),
    allowedHosts: [...values.allowed_hosts, ...(values.public_url ? [new URL(values.public_url).hostname] : [])],
    allowedOrigins: values.allowed_origins,
    trustedProxies: values.trusted_proxies,
    ...(hasTls ? { tls: { certFile, keyFile, ...(clientCaFile === undefined ? {} : { clientCaFile }) } } : {}),
  }
}

/** Everybody on the network would have the role of those who show nothing. */
export function anonymousProblems(
  { host, anonymous_role: role }: SettingValues,
  sourceOf: (key: SettingKey) => string | undefined,
): Problem[] {
  if (role === 'none' || isLoopback(host)) return []
  const text = `is ${role}, which everybody who reaches ${host} would have: only a gateway on loopback may let in callers without a credential`
  return [{ source: sourceOf('anonymous_role') ?? 'anonymous_role', text }]
}

/** Only root may start a process as somebody else. */
export function stdioUserProblems(
  { stdio_user: user }: SettingValues,
  sourceOf: (key: SettingKey) => string | undefined,
): Problem[] {
  if (user === undefined || process.getuid?.() === 0) return []
  const text = 'needs a gateway that runs as root: nobody else may start commands as another user'
  return [{ source: sourceOf('stdio_user') ?? 'stdio_user', text }]
}
