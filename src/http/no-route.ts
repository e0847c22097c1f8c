import { AppError } from '#kernel/errors'
import type { Endpoint } from './endpoint.ts'

/** Why no route took a request: the address takes other methods, or there is no such address. */
export function noRoute(endpoints: readonly Endpoint[], method: string, address: string): AppError {
  const segments = segmentsOf(address)
  const matching = endpoints.filter(({ path }) => matches(segmentsOf(path), segments))
  // An address of its own goes before one with a place for a name.
  const own = matching.filter(({ path }) => !path.includes(':'))
  const allowed = (own.length > 0 ? own : matching).map((each) => each.method)
  const methods = allowed.flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : [each]))
  if (methods.length === 0) return new AppError('not_found', 'No such address')
  const details = { allow: methods.join(', ') }
  return new AppError('method_not_allowed', `This address does not take ${method}`, { details })
}

function segmentsOf(address: string): string[] {
  const [path = ''] = address.split(/[?#]/, 1)
  return path.replace(/\/$/, '').split('/')
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, index) => (part.startsWith(':') ? segments[index] !== '' : part === segments[index]))
  )
}
