import { statfs } from 'node:fs/promises'

/** What is left on the disk of a directory. */
export interface FreeSpace {
  readonly freeBytes: number
  readonly totalBytes: number
}

/** Rejects when there is no such directory. */
export async function freeSpace(directory: string): Promise<FreeSpace> {
  const { bavail, blocks, bsize } = await statfs(directory)
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
}
