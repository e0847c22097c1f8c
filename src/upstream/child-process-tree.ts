import { readdirSync, readFileSync } from 'node:fs'

export type Environment = Readonly<Record<string, string | undefined>>

/** Marks every process that a gateway on this data directory starts, and all that those start. */
export const CHILD_MARK = 'METAMCP_CHILD_OF'

/**
 * Ids of the processes that carry the mark `value`, daemons that left their group included.
 * Empty where the system has no /proc: there the process group is all we can reach.
 */
export function markedProcesses(value: string): number[] {
  const wanted = `${CHILD_MARK}=${value}`
  return processIds().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(wanted)
    } catch {
      return false
    }
  })
}

function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0 && pid !== process.pid)
  } catch {
    return []
  }
}

/** Ends the child's process group and everything that carries its mark. Processes that are gone already are no error. */
export function killTree(pid: number, mark: string, signal: 'SIGTERM' | 'SIGKILL'): void {
  send(-pid, signal)
  if (signal === 'SIGKILL') for (const marked of markedProcesses(mark)) send(marked, signal)
}

/** Ends what an earlier gateway on the same data directory left behind when it was killed. Answers how many. */
export function killLeftovers(mark: string): number {
  const left = markedProcesses(mark)
  for (const pid of left) send(pid, 'SIGKILL')
  return left.length
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH' && (error as NodeJS.ErrnoException).code !== 'EPERM')
      throw error
  }
}
