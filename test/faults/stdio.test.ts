import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sick } from '../support/gateway-child.ts'
import { descendants, openFiles } from '../support/processes.ts'
import { newDirectory } from '../support/test-app.ts'
import { until } from '../support/until.ts'
import { noMoreFilesThan, startFaultStage, type FaultStage, type Outcome } from './stage.ts'

const ROWS: readonly (readonly [mood: string, what: string, outcomes: readonly Outcome[]])[] = [
  ['black-hole', 'F2 takes the call and says nothing', ['timeout']],
  ['drip', 'F3 drips', ['timeout']],
  ['cut-json', 'F5 writes half a JSON', ['timeout']],
  ['wrong-id', 'F6 answers somebody else', ['timeout']],
  ['twice', 'F6 answers what it has answered before', ['worked']],
  ['huge', 'F7 answers with more than is accepted', ['upstream_unavailable']],
  ['crash', 'F10 crashes in the call', ['upstream_unavailable']],
  ['exit-0', 'F10 ends silently in the call', ['upstream_unavailable']],
  ['kill -9', 'F10 is killed in the call', ['upstream_unavailable']],
  ['hang', 'F10 hangs and does not read', ['timeout']],
  ['garbage', 'F10 prints lines that are no messages', ['worked']],
  ['no-newline', 'F10 writes without end and without a new line', ['upstream_unavailable']],
  ['stderr-flood', 'F10 floods stderr', ['worked']],
]

describe('R005, R174, R175 a sick stdio server', () => {
  const cleanup = new AsyncDisposableStack()
  let stage: FaultStage
  let moodFile = ''
  let startsFile = ''
  let filesBefore = 0
  let childrenBefore = 0
  const be = (mood: string): void => writeFileSync(moodFile, mood)
  const starts = (): number => readFileSync(startsFile, 'utf8').split('\n').length - 1

  beforeAll(async () => {
    const { path } = cleanup.use(await newDirectory())
    moodFile = join(path, 'mood')
    startsFile = join(path, 'starts')
    be('well')
    const { command, args } = sick('faulty') as { command: string; args: string[] }
    stage = cleanup.use(await startFaultStage('stdio', { command, args: [...args, moodFile, startsFile] }))
    await stage.call()
    filesBefore = openFiles(process.pid)
    childrenBefore = descendants(process.pid).length
  })

  afterAll(() => cleanup.disposeAsync())

  test.each(ROWS.map(([mood, what, outcomes]) => ({ mood, what, outcomes })))('$what', async ({ mood, outcomes }) => {
    be(mood)
    await stage.survives(outcomes, () => be('well'), !outcomes.includes('worked'))
  })

  test.each(['crash-at-start', 'exit-at-start'])(
    'F10 (%s) is started less and less often while it cannot',
    async (mood) => {
      const before = starts()
      be('crash')
      await stage.call()
      be(mood)
      await until('three tries', () => starts() - before >= 3)
      const began = Date.now()
      while (Date.now() - began < 1000) expect(await stage.call()).not.toBe('worked')
      // 250 ms, 500 ms, one second, each up to a quarter shorter, and a call may hurry the next once a second.
      expect(starts() - before).toBeLessThan(12)
      be('well')
      await until('it works again', async () => (await stage.call()) === 'worked')
    },
  )

  test('F11 storms with list_changed: calls work', async () => {
    be('list-changed-storm')
    for (let n = 0; n < 3; n += 1) expect(await stage.call()).toBe('worked')
    be('well')
    expect(await stage.call()).toBe('worked')
  })

  test('is not felt by others', () => stage.sparedTheWell())

  test('leaves neither a child nor a file behind it all', async () => {
    await noMoreFilesThan(filesBefore)
    await until('no more children than before', () => descendants(process.pid).length <= childrenBefore)
  })
})
