import type { Answerer } from './raw-clients.ts'
import type { Json, Message } from './raw-http.ts'
import { startFixture, type Fixture } from './fixture/start-fixture.ts'
import type { Era } from './fixture/versions.ts'
import { startTestApp, type TestApp } from './test-app.ts'

/** A gateway in front of one fixture of one era; the namespace `other` shows the same. */
export interface Stage extends AsyncDisposable {
  readonly app: TestApp
  readonly fixture: Fixture
  readonly url: string
}

export async function stage(upstream: Era): Promise<Stage> {
  await using cleanup = new AsyncDisposableStack()
  const fixture = cleanup.use(await startFixture({ era: upstream }))
  const file = {
    servers: { fix: { url: fixture.url, prefix: 'fix' } },
    namespaces: { other: { servers: ['fix'] } },
  }
  const app = cleanup.use(await startTestApp({ file, env: { META_MCP_LOGGING_LEVEL: 'ERROR' } }))
  await app.api.online('fix')
  const kept = cleanup.move()
  return { app, fixture, url: app.listening.mcp, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

export const answer: Answerer = (method, params) => {
  if (method === 'sampling/createMessage')
    return { role: 'assistant', model: 'test', content: { type: 'text', text: 'Paris' } }
  if (method === 'roots/list') return { roots: [{ uri: 'file:///home', name: 'home' }] }
  const marker = String(params['message']).replace('Answer for ', '')
  return { action: 'accept', content: { answer: marker, name: 'Ada', color: 'red', context: 'tests', ok: true } }
}

export const tool = (name: string, args: Json = {}, more: Json = {}): Json => ({
  name: `fix__${name}`,
  arguments: args,
  ...more,
})

export function textOf({ result }: Message): unknown {
  return (result?.['content'] as [{ text?: unknown }] | undefined)?.[0].text
}

export const methodsOf = (heard: readonly Message[]): unknown[] => heard.map(({ method }) => method)
