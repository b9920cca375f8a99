import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['engine/**/*.test.ts', 'lessons/**/*.test.ts', 'web/**/*.test.ts', 'scripts/**/*.test.ts'],
    // Whole-machine tests hold up to a gigabyte each: two at a time at most.
    maxWorkers: 2,
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
})
