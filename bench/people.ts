import type { GatewayTarget } from './targets.ts'

/** Asks the REST API of a gateway; throws when it refuses. */
export interface Api {
  post<T>(path: string, body: object): Promise<T>
}

export function apiOf({ url }: GatewayTarget, authorization = ''): Api {
  return {
    async post<T>(path: string, body: object) {
      const headers = { 'content-type': 'application/json', ...(authorization === '' ? {} : { authorization }) }
      const response = await fetch(new URL(`/api/v1/${path}`, url), {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      })
      if (!response.ok) throw new Error(`POST ${path}: HTTP ${response.status} ${await response.text()}`)
      return (await response.json()) as T
    },
  }
}

/** The header of an access token of this person. */
export async function login(gateway: GatewayTarget, who: { username: string; password: string }): Promise<string> {
  const { access_token: token } = await apiOf(gateway).post<{ access_token: string }>('auth/login', who)
  return `Bearer ${token}`
}
