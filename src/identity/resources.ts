const LOOPBACK = /^(?:localhost|\[::1\]|127(?:\.\d{1,3}){3})$/
const WELL_KNOWN = '/.well-known/oauth-protected-resource'
const ENDPOINT = /^\/(?:sse|mcp(?:\/([^/?#]{1,256}))?)$/

/** An endpoint that a token is for: `/mcp` with all that is in it, or one namespace. */
export interface Resource {
  readonly namespace: string | undefined
}

/** The URLs by which clients know the MCP endpoints (RFC 8707), and the issuer of tokens for them. */
export interface Resources {
  /** Of the authorization server; an origin. */
  issuer(): string
  /** The address of an endpoint, given as a path, as it is written to whoever asked this Host. */
  resourceAt(host: string | undefined, path: string): string
  /** Where the metadata of that endpoint are (RFC 9728: the path goes behind the well-known one). */
  metadataAt(host: string | undefined, path: string): string
  /** Once it is known. */
  listensAt(url: string): void
  /** Which endpoint of ours a resource is; undefined for everybody else's, and for another spelling. */
  read(resource: string): Resource | undefined
}

/** `publicUrl` is the origin by which others know the gateway, where an operator has named it. */
export function createResources(publicUrl: string | undefined, listening: string): Resources {
  let place = new URL(listening)
  const issuer = (): string => publicUrl ?? reachable(place.origin)
  const baseFor = (host = ''): string => {
    const { protocol, hostname } = URL.parse(`http://${host}`) ?? { protocol: '', hostname: '' }
    if (publicUrl !== undefined && !LOOPBACK.test(hostname)) return publicUrl
    return protocol === '' ? issuer() : `${place.protocol}//${host.toLowerCase()}`
  }
  const isOwn = ({ origin, protocol, hostname, port }: URL): boolean => {
    if (origin === publicUrl) return true
    const isHere = protocol === place.protocol && port === place.port
    return isHere && (LOOPBACK.test(hostname) || hostname === place.hostname)
  }
  return {
    issuer,
    listensAt(url) {
      place = new URL(url)
    },
    resourceAt: (host, path) => baseFor(host) + path,
    metadataAt: (host, path) => baseFor(host) + WELL_KNOWN + path,
    read(resource) {
      const url = URL.parse(resource)
      const found = url && ENDPOINT.exec(url.pathname)
      if (!found || !isOwn(url) || `${url.origin}${url.pathname}` !== resource) return undefined
      return { namespace: found[1] === undefined ? undefined : decoded(found[1]) }
    },
  }
}

/** The path of the endpoint whose metadata an address asks for; the root form stands for `/mcp`. */
export function metadataPath(path: string): string | undefined {
  if (path === WELL_KNOWN || path === `${WELL_KNOWN}/`) return '/mcp'
  if (!path.startsWith(`${WELL_KNOWN}/`)) return undefined
  const endpoint = path.slice(WELL_KNOWN.length).replace(/\/$/, '')
  return ENDPOINT.test(endpoint) ? endpoint : undefined
}

/** What listens on all addresses is reached by none of that name. */
function reachable(url: string): string {
  return url.replace(/\/\/(?:0\.0\.0\.0|\[::\])(?=[:/]|$)/, '//localhost')
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
