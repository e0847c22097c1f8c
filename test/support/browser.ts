/** A page that a browser shows, or the address outside of the gateway that it was sent to. */
export interface Page {
  readonly status: number
  readonly url: URL
  readonly headers: Headers
  readonly text: string
}

/** A browser as far as a login needs one: it keeps cookies, follows redirects of its gateway, and sends forms. */
export interface Browser {
  open(url: string | URL): Promise<Page>
  /** Sends the form of a page, with what is hidden in it and these fields. */
  submit(page: Page, fields: Record<string, string>, headers?: Record<string, string>): Promise<Page>
  /** As `Set-Cookie` gave them, newest last. */
  readonly setCookies: readonly string[]
}

interface Cookie {
  readonly value: string
  readonly path: string
}

const REDIRECTS_MAX = 10

/** `alias`: another origin that leads to the same place, as a proxy in front would. */
export function startBrowser(home: string, alias?: string): Browser {
  const { origin } = new URL(home)
  const reached = (url: URL): URL => (url.origin === alias ? new URL(url.pathname + url.search, home) : url)
  const cookies = new Map<string, Cookie>()
  const setCookies: string[] = []
  const keep = (header: string): void => {
    setCookies.push(header)
    const [pair = '', ...attributes] = header.split(/; */)
    const name = pair.slice(0, pair.indexOf('='))
    const path = attributes.find((each) => /^path=/i.test(each))?.slice(5) ?? '/'
    if (/expires=Thu, 01 Jan 1970/i.test(header)) cookies.delete(`${name} ${path}`)
    else cookies.set(`${name} ${path}`, { value: pair, path })
  }
  const cookiesFor = ({ pathname }: URL): string =>
    [...cookies.values()].flatMap(({ value, path }) => (pathname.startsWith(path) ? [value] : [])).join('; ')

  const visit = async (url: URL, init: RequestInit = {}, hops = 0): Promise<Page> => {
    const headers = { ...(init.headers as Record<string, string>), cookie: cookiesFor(url), accept: 'text/html' }
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    response.headers.getSetCookie().forEach(keep)
    const text = await response.text()
    const location = response.headers.get('location')
    const next = location === null ? undefined : reached(new URL(location, url))
    if (!next) return { status: response.status, url, headers: response.headers, text }
    if (next.origin !== origin) return { status: response.status, url: next, headers: response.headers, text: '' }
    if (hops >= REDIRECTS_MAX) throw new Error(`too many redirects, the last to ${next.href}`)
    return visit(next, {}, hops + 1)
  }
  return {
    setCookies,
    open: (url) => visit(new URL(url)),
    submit(page, fields, headers = {}) {
      const { action, hidden } = formOf(page)
      const body = new URLSearchParams({ ...hidden, ...fields })
      return visit(new URL(action, page.url), {
        method: 'POST',
        body,
        headers: { origin: page.url.origin, ...headers },
      })
    },
  }
}

function formOf({ text, url, status }: Page): { action: string; hidden: Record<string, string> } {
  const action = /<form[^>]*action="([^"]*)"/.exec(text)?.[1]
  if (action === undefined) throw new Error(`there is no form at ${url.href} (${status}): ${text.slice(0, 500)}`)
  const inputs = text.matchAll(/<input[^>]*type="hidden"[^>]*name="([^"]*)"[^>]*value="([^"]*)"/g)
  return { action, hidden: Object.fromEntries(Array.from(inputs, ([, name = '', value = '']) => [name, value])) }
}
