import type { ApiClient, ApiReply } from './api-client.ts'

interface Gateway {
  readonly api: ApiClient
}

export function makeNamespace({ api }: Gateway, name: string): Promise<ApiReply> {
  return api.send('POST', 'namespaces', { name })
}

export async function namespaceNames({ api }: Gateway): Promise<string[]> {
  const { body } = await api.send<{ namespaces: { name: string }[] }>('GET', 'namespaces?limit=1000')
  return body.namespaces.map(({ name }) => name)
}

/** How many there are of what this path lists. */
export async function totalOf({ api }: Gateway, path: string): Promise<unknown> {
  return (await api.send('GET', path)).body['total']
}

/** The HTTP status of readiness. */
export async function readiness({ api }: Gateway): Promise<number> {
  return (await api.send('GET', 'health/ready')).status
}

/** Makes namespaces until one is refused, and answers with that; those that were acknowledged are added to `made`. */
export async function untilRefused(
  gateway: Gateway,
  made: string[],
  { prefix, most }: { readonly prefix: string; readonly most: number },
): Promise<ApiReply> {
  for (let n = 0; n < most; n += 1) {
    const name = `${prefix}-${n}`
    const reply = await makeNamespace(gateway, name)
    if (reply.status !== 201) return reply
    made.push(name)
  }
  throw new Error(`${most} changes found room`)
}
