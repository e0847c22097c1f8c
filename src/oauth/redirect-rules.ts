const CHARS_MAX = 2048
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])
/** What a browser would run, show or send somewhere else instead of handing it to an application. */
const NO_APPLICATION =
  /^(?:javascript|vbscript|data|file|blob|about|ftp|wss?|mailto|view-source|filesystem|intent|chrome|res):$/

/** Why an address is none to send codes to; undefined when it is one. */
export function redirectProblem(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > CHARS_MAX) return 'is no address, or a very long one'
  const url = URL.parse(text)
  if (!url || /[\s\p{C}\\*<>"'`{}]/u.test(text)) return 'is not a well-formed address'
  if (text.includes('#')) return 'has a fragment'
  if (url.username !== '' || url.password !== '') return 'holds a user or a password'
  if (url.href !== text && url.href !== `${text}/`) return 'is not written in its plain form'
  return schemeProblem(url)
}

function schemeProblem({ protocol, hostname }: URL): string | undefined {
  if (protocol === 'https:') return LOOPBACK.has(hostname) ? 'is https on this machine' : undefined
  if (protocol === 'http:') return LOOPBACK.has(hostname) ? undefined : 'is http and not on this machine'
  return NO_APPLICATION.test(protocol) ? `has the scheme ${protocol}` : undefined
}

/** Whether any program on the user's machine could be waiting there. */
export function leadsToThisMachine(redirect: string): boolean {
  const { protocol = '' } = URL.parse(redirect) ?? {}
  return protocol !== 'https:'
}

/** What a Content-Security-Policy calls the place that a form may lead to. */
export function formTarget(redirect: string): string {
  const { protocol, host, hostname } = new URL(redirect)
  if (protocol !== 'https:' && protocol !== 'http:') return protocol
  // The grammar of the policy has no addresses of IPv6.
  return hostname.startsWith('[') ? protocol : `${protocol}//${host}`
}
