import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const TMPFS_BYTES = 8 * 1024 * 1024
/** Whether this user (root) can make a file system of his own. */
export const canMakeDisks = canMount()
const ROOM_BYTES = 256 * 1024

/** A directory in which there is soon no more room for a process, and then there is. */
export interface FullDisk extends AsyncDisposable {
  readonly path: string
  /** Leaves this process so little room that a few rows still find some. */
  fill(pid: number): void
  free(pid: number): void
}

/** A disk that is full where this user can make one (root), else a limit on the size of files: either refuses writes in the middle. */
export const fullDisk: { readonly name: string; readonly open: () => Promise<FullDisk> } = canMakeDisks
  ? { name: 'a file system without room', open: () => smallFileSystem() }
  : { name: 'files that may not grow', open: limitedFiles }

async function directory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'metamcp-full-'))
}

function mount(path: string, bytes = TMPFS_BYTES): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path]).status === 0
}

function unmount(path: string): void {
  const { status, stderr } = spawnSync('umount', [path], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${path} is still mounted: ${stderr}`)
}

function canMount(): boolean {
  if (process.getuid?.() !== 0) return false
  const path = spawnSync('mktemp', ['-d'], { encoding: 'utf8' }).stdout.trim()
  const isMounted = mount(path)
  if (isMounted) unmount(path)
  rmSync(path, { recursive: true })
  return isMounted
}

/** A file system of so many bytes; only where `canMakeDisks`. */
export async function smallFileSystem(bytes = TMPFS_BYTES): Promise<FullDisk> {
  const path = await directory()
  if (!mount(path, bytes)) throw new Error(`no tmpfs at ${path}`)
  const filler = join(path, 'filler')
  return {
    path,
    fill: () => writeFileSync(filler, Buffer.alloc(freeBytes(path) - ROOM_BYTES)),
    free: () => rmSync(filler),
    async [Symbol.asyncDispose]() {
      unmount(path)
      await rm(path, { recursive: true })
    },
  }
}

function freeBytes(path: string): number {
  const { stdout } = spawnSync('stat', ['-f', '-c', '%a %S', path], { encoding: 'utf8' })
  const [blocks = 0, size = 0] = stdout.split(' ').map(Number)
  return blocks * size
}

async function limitedFiles(): Promise<FullDisk> {
  const path = await directory()
  return {
    path,
    fill: (pid) => limitFiles(pid, largestFile(path) + ROOM_BYTES),
    free: (pid) => limitFiles(pid, 'unlimited'),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  }
}

/** From now on no file of this process grows beyond that. */
export function limitFiles(pid: number, bytes: number | 'unlimited'): void {
  const { status, stderr } = spawnSync('prlimit', [`--pid=${pid}`, `--fsize=${bytes}:unlimited`], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`prlimit: ${stderr}`)
}

function largestFile(path: string): number {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Math.max(0, ...entries.map(({ parentPath, name }) => statSync(join(parentPath, name)).size))
}
