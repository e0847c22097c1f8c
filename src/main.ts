import { printBanner, type BannerFacts } from '#cli/banner'
import { processIo } from '#cli/io'
import { runCli } from '#cli/program'
import { untilStopped } from '#cli/until-stopped'
import { environment } from '#config/env'
import { readGatewayFile } from '#config/gateway-file'
import { loadConfig } from '#config/load'
import { KEY_VARIABLE } from '#config/settings'
import { gatewayListening, settingsUnused } from '#telemetry/events'
import { createLogger } from '#telemetry/log'
import { bridgeStdio, createApp, type App } from './app.ts'

type Config = ReturnType<typeof loadConfig>

const life = { endsWithParent: environment()['npm_lifecycle_event'] !== undefined }

async function start(config: Config): Promise<{ app: App; listening: BannerFacts }> {
  const logs = createLogger({ level: config.logLevel, pretty: process.stderr.isTTY })
  const log = logs.logger('main')
  settingsUnused(log, config.unusedSettings)
  const app = await createApp(config, { logs, environment: environment() })
  const listening = await app.listen()
  gatewayListening(log, { url: listening.url, servers: listening.servers.length })
  return { app, listening }
}

process.exitCode = await runCli(process.argv, processIo(), {
  async serve(flags) {
    const { app, listening } = await start(loadConfig({ flags }))
    printBanner(process.stdout, listening)
    await untilStopped(app, life)
    await app.close()
    return 0
  },
  async stdio({ namespace, url, ...flags }) {
    const config = loadConfig({ flags })
    const path = namespace === undefined ? '/mcp' : `/mcp/${encodeURIComponent(namespace)}`
    const streams = { input: process.stdin, output: process.stdout }
    const running = url ?? readGatewayFile(config.dataDir)?.url
    if (running !== undefined) {
      await bridgeStdio({ url: `${running}${path}`, credential: environment()[KEY_VARIABLE], ...streams })
      return 0
    }
    const { app, listening } = await start({ ...config, port: 0 })
    await Promise.race([
      bridgeStdio({ url: `${listening.url}${path}`, credential: environment()[KEY_VARIABLE], ...streams }),
      untilStopped(app, life),
    ])
    await app.close()
    return 0
  },
})
