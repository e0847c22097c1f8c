import { readFileSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Where a running gateway can be reached. */
export interface GatewayFile {
  /** Base address without a slash at the end: `http://127.0.0.1:8000`. */
  readonly url: string
  readonly pid: number
  /** What commands of the same person prove themselves with, as long as this gateway runs. */
  readonly token?: string
}

const FILE_NAME = 'gateway.json'

/** Notes in the data dir where this gateway listens; commands look there. */
export async function writeGatewayFile(dataDir: string, gateway: GatewayFile): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const draft = join(dataDir, `${FILE_NAME}.${gateway.pid}`)
  await writeFile(draft, `${JSON.stringify(gateway)}\n`, { mode: 0o600 })
  await rename(draft, join(dataDir, FILE_NAME))
}

/** Removes the note, unless another gateway has written its own meanwhile. */
export async function removeGatewayFile(dataDir: string, pid: number): Promise<void> {
  if (parse(join(dataDir, FILE_NAME))?.pid === pid) await rm(join(dataDir, FILE_NAME), { force: true })
}

/** The gateway that runs on a data dir; undefined when there is no note, or its process is gone. */
export function readGatewayFile(dataDir: string): GatewayFile | undefined {
  const gateway = parse(join(dataDir, FILE_NAME))
  return gateway && isAlive(gateway.pid) ? gateway : undefined
}

function parse(path: string): GatewayFile | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof value !== 'object' || value === null || !('url' in value) || !('pid' in value)) return undefined
    const { url, pid } = value
    if (typeof url !== 'string' || typeof pid !== 'number') return undefined
    return 'token' in value && typeof value.token === 'string' ? { url, pid, token: value.token } : { url, pid }
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
