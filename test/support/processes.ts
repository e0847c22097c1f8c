import { readdirSync, readFileSync } from 'node:fs'

interface ProcessFacts {
  readonly pid: number
  readonly parent: number
}

/** What runs on this machine now; zombies are over and do not count. */
function processes(): ProcessFacts[] {
  return readdirSync('/proc').flatMap((entry) => {
    const pid = Number(entry)
    if (!(pid > 0)) return []
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return state === 'Z' || state === 'X' ? [] : [{ pid, parent: Number(parent) }]
    } catch {
      return []
    }
  })
}

export function isRunning(pid: number): boolean {
  return processes().some((each) => each.pid === pid)
}

/** Children, their children and so on. Daemons have left the tree. */
export function descendants(of: number): number[] {
  const all = processes()
  const below = (parent: number): number[] =>
    all.filter((each) => each.parent === parent).flatMap(({ pid }) => [pid, ...below(pid)])
  return below(of)
}

/** Every process whose environment names this text. */
export function withEnvironment(text: string): number[] {
  return processes().flatMap(({ pid }) => {
    try {
      return pid !== process.pid && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(text) ? [pid] : []
    } catch {
      return []
    }
  })
}

/** Megabytes that a process holds, and that it held at most. */
export function memoryOf(pid: number): { readonly nowMb: number; readonly peakMb: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const megabytes = (name: string): number =>
    Math.round(Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024)
  return { nowMb: megabytes('VmRSS'), peakMb: megabytes('VmHWM') }
}

export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}
