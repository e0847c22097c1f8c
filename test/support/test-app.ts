import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BannerFacts, FirstFacts } from '#cli/banner'
import { loadConfig } from '#config/load'
import { createLogger } from '#telemetry/log'
import { createApp, type App } from '../../src/app.ts'
import { apiClient, type ApiClient } from './api-client.ts'
import { OPEN } from './open.ts'

type Members = Readonly<Record<string, unknown>>

/** The whole gateway in this process, on real sockets, with everything of its own. */
export interface TestApp extends AsyncDisposable {
  readonly app: App
  readonly listening: BannerFacts
  /** What was made because there was no user; undefined at a second start. */
  readonly first: FirstFacts | undefined
  readonly directory: string
  readonly api: ApiClient
  /** The lines of the log, as they were written. */
  readonly log: string[]
  /** Writes the operator's file anew; the gateway is not told. */
  writeFile(file: Members): Promise<void>
}

export interface TestAppOptions {
  /** The operator's file. */
  readonly file?: Members
  readonly env?: Readonly<Record<string, string>>
  /** Of a gateway that was there before, as `newDirectory` made it; then it stays afterwards. */
  readonly directory?: string
}

/** A directory for data and config file that is gone afterwards. */
export async function newDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'metamcp-test-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** What tests register over the API runs on this machine. */
const ENVIRONMENT = { ...OPEN, META_MCP_LOGGING_LEVEL: 'DEBUG', META_MCP_EGRESS_ALLOW: '127.0.0.0/8' }

export async function startTestApp({ file = {}, env = {}, directory }: TestAppOptions = {}): Promise<TestApp> {
  await using cleanup = new AsyncDisposableStack()
  const place = directory ?? cleanup.use(await newDirectory()).path
  const path = join(place, 'metamcp.json')
  const write = (contents: Members) => writeFile(path, JSON.stringify(contents))
  await write(file)
  const flags = { config: path, port: '0', dataDir: join(place, 'data') }
  const config = loadConfig({ flags, env: { ...ENVIRONMENT, ...env } })
  const log: string[] = []
  const destination = { write: (line: string) => void log.push(line) }
  const logs = createLogger({ level: config.logLevel, pretty: false, destination })
  const app = cleanup.use(await createApp(config, { logs, environment: process.env }))
  const first = await app.firstStart()
  const listening = await app.listen()
  const kept = cleanup.move()
  return {
    app,
    listening,
    first,
    directory: place,
    api: apiClient(listening.url),
    log,
    writeFile: write,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
