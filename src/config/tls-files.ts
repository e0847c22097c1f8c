import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import type { EdgeConfig } from './config.ts'
import { messageOf } from '#kernel/errors'
import { ConfigError } from './problems.ts'

const READABLE_BY_OTHERS = 0o004

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
  if (!certificate.checkPrivateKey(privateKey)) throw problem(tls.keyFile, `is not the key of ${tls.certFile}`)
  const { mode } = await stat(tls.keyFile)
  if (process.platform !== 'win32' && (mode & READABLE_BY_OTHERS) !== 0) {
    throw problem(tls.keyFile, 'can be read by every user of this machine; run chmod 600 on it')
  }
  return { cert, key, ...(ca ? { ca } : {}) }
}

function readPem(path: string): Promise<Buffer> {
  return readFile(path).catch((thrown: unknown) => {
    throw problem(path, `cannot be read: ${messageOf(thrown)}`)
  })
}

function parsed<T>(path: string, parse: () => T): T {
  try {
    return parse()
  } catch (thrown) {
    throw problem(path, `is not what it should be in PEM: ${messageOf(thrown)}`)
  }
}

function problem(source: string, text: string): ConfigError {
  return new ConfigError([{ source, text }])
}
