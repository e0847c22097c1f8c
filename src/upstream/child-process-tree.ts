import { readdirSync, readFileSync } from 'node:fs'

const ROUNDS_MAX = 10

export type Environment = Readonly<Record<string, string | undefined>>

/** Marks every process that a gateway starts, and all that those start. */
export const CHILD_MARK = 'METAMCP_CHILD_OF'

/** What a gateway writes into its children: which data directory, which gateway process, which child. */
export interface ChildMarks {
  /** A mark for one more child. */
  next(): string
  /** Ends what earlier gateways on the same data directory left behind when they were killed. Answers how many. */
  killLeftovers(): number
}

export function createChildMarks(dataDirDigest: string, newId: () => string): ChildMarks {
  return {
    next: () => `${dataDirDigest}.${process.pid}.${newId()}`,
    killLeftovers() {
      return killMarked((mark) => isLeftover(mark, dataDirDigest)).size
    },
  }
}

/** A child of our data directory whose gateway is gone. */
function isLeftover(mark: string, dataDirDigest: string): boolean {
  const [directory, gateway] = mark.split('.')
  return directory === dataDirDigest && !isAlive(Number(gateway))
}

/**
 * The marks of all running processes that carry one, daemons that left their group included.
 * Empty where the system has no /proc: there the process group is all we can reach.
 */
function marksInUse(): { pid: number; mark: string }[] {
  return processIds().flatMap((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')
      const mark = environment.find((entry) => entry.startsWith(`${CHILD_MARK}=`))?.slice(CHILD_MARK.length + 1)
      return mark === undefined ? [] : [{ pid, mark }]
    } catch {
      return []
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

/** The groups of children that have not ended. A gateway that is ended in a hurry takes them along. */
const groups = new Set<number>()
process.on('exit', () => {
  for (const pid of groups) send(-pid, 'SIGKILL')
})

/** Looks after a child's group until the child has exited. */
export function guardGroup(pid: number | undefined, exited: Promise<void>): void {
  if (pid === undefined) return
  groups.add(pid)
  void exited.then(() => groups.delete(pid))
}

/** Ends the child's process group and everything that carries its mark. Processes that are gone already are no error. */
export function killTree(pid: number | undefined, mark: string, signal: 'SIGTERM' | 'SIGKILL'): void {
  // A group of 0 would be our own.
  if (pid !== undefined && pid > 0) send(-pid, signal)
  if (signal === 'SIGKILL') killMarked((each) => each === mark)
}

/** Looks again until nothing is found: what is being killed may have started something meanwhile. */
function killMarked(isMeant: (mark: string) => boolean): Set<number> {
  const killed = new Set<number>()
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const fresh = marksInUse().filter(({ pid, mark }) => isMeant(mark) && !killed.has(pid))
    if (fresh.length === 0) break
    for (const { pid } of fresh) {
      send(pid, 'SIGKILL')
      killed.add(pid)
    }
  }
  return killed
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}
