import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { EdgeConfig } from './config.ts'
import { messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import { demandPrivate } from './private-files.ts'
import { configError } from './problems.ts'
import { watchFiles } from './watch-files.ts'

/** What a listener with TLS needs, as PEM. */
export interface TlsFiles {
  readonly cert: Buffer
  readonly key: Buffer
  /** Callers must have a certificate of one of these. */
  readonly ca?: Buffer
}

/** Reads what the settings name. Throws a ConfigError for what is missing, is none, does not belong together, or lies open. */
export async function readTlsFiles({ tls }: EdgeConfig): Promise<TlsFiles | undefined> {
  if (!tls) return undefined
  const [cert, key, ca] = await Promise.all([
    readPem(tls.certFile),
    readPem(tls.keyFile),
    tls.clientCaFile === undefined ? undefined : readPem(tls.clientCaFile),
  ])
  const certificate = parsed(tls.certFile, () => new X509Certificate(cert))
  const privateKey = parsed(tls.keyFile, () => createPrivateKey(key))
  if (ca) parsed(tls.clientCaFile ?? '', () => new X509Certificate(ca))
  if (!certificate.checkPrivateKey(privateKey)) throw configError(tls.keyFile, `is not the key of ${tls.certFile}`)
  await demandPrivate(tls.keyFile)
  return { cert, key, ...(ca ? { ca } : {}) }
}

/**
 * Watches the files and hands on what they hold after a change, or when told to read them. Files that are no good change nothing:
 * the log says why, and the certificate before stays in use.
 */
export function followTlsFiles(config: EdgeConfig, apply: (files: TlsFiles) => void, log: Logger): TlsWatch {
  const { tls } = config
  if (!tls) return { reload: () => undefined, [Symbol.dispose]: () => undefined }
  const rejected = (thrown: unknown): void => log.error({ error: messageOf(thrown) }, 'TLS files rejected')
  let reads = 0
  const read = async (): Promise<void> => {
    const turn = (reads += 1)
    const files = await readTlsFiles(config)
    if (!files || turn !== reads) return
    apply(files)
    log.info({ validTo: new X509Certificate(files.cert).validTo }, 'TLS files applied')
  }
  const reload = (): void => void read().catch(rejected)
  const { certFile, keyFile, clientCaFile } = tls
  const watcher = watchFiles(
    [certFile, keyFile, ...(clientCaFile === undefined ? [] : [clientCaFile])],
    reload,
    rejected,
  )
  return { reload, [Symbol.dispose]: () => watcher[Symbol.dispose]() }
}

interface TlsWatch extends Disposable {
  /** Reads the files now: for SIGHUP. */
  reload(): void
}

function readPem(path: string): Promise<Buffer> {
  return readFile(path).catch((thrown: unknown) => {
    throw configError(path, `cannot be read: ${messageOf(thrown)}`)
  })
}

function parsed<T>(path: string, parse: () => T): T {
  try {
    return parse()
  } catch (thrown) {
    throw configError(path, `is not what it should be in PEM: ${messageOf(thrown)}`)
  }
}
