import { defineConfig } from 'vitest/config'

const project = (name: string, include: string[], testTimeout: number) => ({
  test: { name, include, testTimeout, hookTimeout: testTimeout, environment: 'node' as const },
})

export default defineConfig({
  test: {
    projects: [
      project('architecture', ['test/architecture/**/*.test.ts'], 10_000),
      project('unit', ['src/**/*.test.ts', 'test/support/**/*.test.ts'], 10_000),
      project('system', ['test/system/**/*.test.ts'], 30_000),
      project('process', ['test/process/**/*.test.ts'], 60_000),
    ],
    globalSetup: ['./test/support/global-setup.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
    passWithNoTests: false,
  },
})
