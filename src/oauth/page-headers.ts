import { createHash } from 'node:crypto'
import { STYLE } from './pages.ts'

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/** For every page of ours: nothing runs in it, nobody frames it, and forms lead to us and to `formTargets` only. */
export function pageHeaders(formTargets: readonly string[] = []): Record<string, string> {
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    `form-action ${["'self'", ...formTargets].join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ]
  return {
    'content-security-policy': policy.join('; '),
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    // Not less: a browser that is to tell nobody sends `Origin: null` with our forms.
    'referrer-policy': 'same-origin',
    'cache-control': 'no-store',
  }
}
