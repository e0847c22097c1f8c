import { readGatewayFile } from '#config/gateway-file'
import { dataDirOf } from '#config/load'
import { CliError } from './cli-error.ts'
import type { CliIo } from './io.ts'

/** Where a gateway listens that nobody told anything else. */
export const DEFAULT_URL = 'http://127.0.0.1:8000'

/** Where the gateway is: what the user says, else what a running gateway noted in the data dir. Throws when none runs there. */
export function findGateway(said: string | undefined, io: CliIo): string {
  if (said === undefined) return runningGateway(io)
  const url = URL.parse(said)
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new CliError(`"${said}" is no address of a gateway; it looks like ${DEFAULT_URL}`)
  return (url.origin + url.pathname).replace(/(?:\/mcp)?\/*$/, '')
}

/** Of the gateway that runs on the data dir. */
export function runningUrl(io: CliIo): string | undefined {
  return readGatewayFile(dataDirOf(io.env))?.url
}

function runningGateway(io: CliIo): string {
  const url = runningUrl(io)
  if (url !== undefined) return url
  throw new CliError(`No gateway runs on ${dataDirOf(io.env)}; start one with "serve", or name one with --url`)
}
