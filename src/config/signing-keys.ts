import { readFile } from 'node:fs/promises'
import type { Config } from './config.ts'
import { reasonOf } from './expand.ts'
import { demandPrivate } from './private-files.ts'
import { configError } from './problems.ts'
import { environmentName } from './settings.ts'

const PEM = /-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----/g

/**
 * The private keys of the file that signs, the current one first; none where the secret key signs.
 * Throws ConfigError for a file that cannot be read, has no key, or can be read by everybody.
 */
export async function signingPems({ algorithm, signingKeyFile: path }: Config['access']): Promise<readonly string[]> {
  const isSecret = algorithm.startsWith('HS')
  if (path === undefined && isSecret) return []
  if (path === undefined) throw configError(environmentName('algorithm'), 'needs META_MCP_SIGNING_KEY_FILE')
  if (isSecret)
    throw configError(environmentName('signing_key_file'), `is not for ${algorithm}: set META_MCP_ALGORITHM`)
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw configError(path, `cannot be read: ${reasonOf(error)}`)
  })
  await demandPrivate(path)
  const pems = text.match(PEM) ?? []
  if (pems.length === 0) throw configError(path, 'holds no private key in PEM form')
  return pems
}
