import { defineConfig } from 'vitest/config'

interface Project {
  readonly testTimeout: number
  /** Files at once, and its turn. Tests that measure have the machine for themselves. */
  readonly maxWorkers: number
  readonly turn: number
}

const project = (name: string, include: string[], { testTimeout, maxWorkers, turn }: Project) => ({
  test: {
    name,
    include,
    testTimeout,
    hookTimeout: testTimeout,
    environment: 'node' as const,
    maxWorkers,
    sequence: { groupOrder: turn },
  },
})

export default defineConfig({
  test: {
    projects: [
      project('architecture', ['test/architecture/**/*.test.ts'], { testTimeout: 10_000, maxWorkers: 2, turn: 0 }),
      project('unit', ['src/**/*.test.ts', 'test/support/**/*.test.ts', 'eval/**/*.test.ts'], {
        testTimeout: 20_000,
        maxWorkers: 2,
        turn: 0,
      }),
      project('system', ['test/system/**/*.test.ts'], { testTimeout: 30_000, maxWorkers: 2, turn: 0 }),
      project('security', ['test/security/**/*.test.ts'], { testTimeout: 60_000, maxWorkers: 2, turn: 0 }),
      project('faults', ['test/faults/**/*.test.ts'], { testTimeout: 30_000, maxWorkers: 2, turn: 0 }),
      project('process', ['test/process/**/*.test.ts'], { testTimeout: 60_000, maxWorkers: 1, turn: 1 }),
    ],
    globalSetup: ['./test/support/global-setup.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
    passWithNoTests: false,
  },
})
