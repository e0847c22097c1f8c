import { readGatewayFile } from '#config/gateway-file'
import { dataDirOf } from '#config/load'
import { CliError } from './cli-error.ts'
import type { CliIo } from './io.ts'

const DEFAULT_URL = 'http://127.0.0.1:8000'

/** Where the gateway is: what the user says, else what a running gateway noted in the data dir, else the default address. */
export function findGateway(said: string | undefined, io: CliIo): string {
  if (said === undefined) return readGatewayFile(dataDirOf(io.env))?.url ?? DEFAULT_URL
  const url = URL.parse(said)
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new CliError(`"${said}" is no address of a gateway; it looks like ${DEFAULT_URL}`)
  return (url.origin + url.pathname).replace(/\/+$/, '')
}
