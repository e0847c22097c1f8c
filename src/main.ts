import { printBanner, printFirstFacts } from '#cli/banner'
import { credentialsFor } from '#cli/credentials'
import { processIo } from '#cli/io'
import { runCli } from '#cli/program'
import { untilStopped } from '#cli/until-stopped'
import { environment } from '#config/env'
import { readGatewayFile } from '#config/gateway-file'
import { loadConfig } from '#config/load'
import { createLogger } from '#telemetry/log'
import { bridgeStdio, createApp, openStoredAudit, type App } from './app.ts'

type Config = ReturnType<typeof loadConfig>

const life = { endsWithParent: environment()['npm_lifecycle_event'] !== undefined }

async function create(config: Config): Promise<App> {
  const logs = createLogger({ level: config.logLevel, pretty: process.stderr.isTTY })
  return createApp(config, { logs, environment: environment() })
}

function bridge(url: string, path: string, dataDir: string): Promise<void> {
  const { current } = credentialsFor(url, environment(), dataDir)
  return bridgeStdio({ url: url + path, credential: current, input: process.stdin, output: process.stdout })
}

process.exitCode = await runCli(process.argv, processIo(), {
  async serve(flags) {
    const app = await create(loadConfig({ flags }))
    const first = await app.firstStart()
    const listening = await app.listen().catch((error: unknown) => {
      if (first) printFirstFacts(process.stdout, first)
      throw error
    })
    printBanner(process.stdout, listening, first)
    await untilStopped(app, life)
    await app.close()
    return 0
  },
  async stdio({ namespace, url, ...flags }) {
    const config = loadConfig({ flags })
    const path = namespace === undefined ? '/mcp' : `/mcp/${encodeURIComponent(namespace)}`
    const running = url ?? readGatewayFile(config.dataDir)?.url
    if (running !== undefined) {
      await bridge(running, path, config.dataDir)
      return 0
    }
    const app = await create({ ...config, port: 0 })
    const listening = await app.listen()
    await Promise.race([bridge(listening.url, path, config.dataDir), untilStopped(app, life)])
    await app.close()
    return 0
  },
  audit: (flags) => openStoredAudit(loadConfig({ flags }), createLogger({ level: 'ERROR', pretty: true })),
})
