import type { Reporter, TestModule } from 'vitest/node'

/** Prints `N passed, N failed` alone on the last line, and `, N skipped` where some were: what CI and people read first. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 }
    for (const module of modules) {
      if (module.errors().length > 0) count.failed += 1
      for (const test of module.children.allTests()) count[outcome(test.result().state)] += 1
    }
    const skipped = count.skipped === 0 ? '' : `, ${count.skipped} skipped`
    console.log(`\n${count.passed} passed, ${count.failed} failed${skipped}`)
  }
}

function outcome(state: string): 'passed' | 'failed' | 'skipped' {
  if (state === 'passed') return 'passed'
  return state === 'failed' ? 'failed' : 'skipped'
}
